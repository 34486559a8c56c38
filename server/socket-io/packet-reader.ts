/**
 * Packet reader: the messages of one client as packets, each with its attachments.
 *
 * Attachments follow their packet as binary messages. Bounded: the attachments of one packet have at most
 * `maxPayloadBytes`, and those of all clients together the limit of `held`.
 */
import type { HeldBytes } from '../held-bytes.ts'
import { MAX_NEWCOMER_BYTES } from '../newcomers.ts'
import { insertAttachments, type Packet, PacketError, parsePacket, type Sender } from './packet.ts'

export interface PacketReaderOptions {
  readonly held: HeldBytes
  /** The largest event of a client. */
  readonly maxPayloadBytes: number
  /** The largest frame of a request; an event that contains no file is not much larger. */
  readonly maxMessageBytes: number
}

/** Characters of JSON that one byte of a value can need, such as `\u0061`. */
const CHARS_PER_BYTE = 6

/**
 * Reads a text. Before the client is connected packets are small and have no attachments.
 * @throws PacketError
 */
export function readPacket(text: string, sender: Sender, { maxMessageBytes }: PacketReaderOptions): Packet {
  const isConnected = sender.userId !== ''
  if (!isConnected && text.length > MAX_NEWCOMER_BYTES) throw new PacketError('not connected')
  const packet = parsePacket(text, CHARS_PER_BYTE * maxMessageBytes, sender)
  if (!isConnected && packet.attachments > 0) throw new PacketError('not connected')
  return packet
}

/** A packet whose attachments have not all arrived. */
export class IncompletePacket {
  readonly #packet: Packet
  readonly #options: PacketReaderOptions
  /** The owner of the held bytes. */
  readonly #owner: string
  readonly #attachments: Uint8Array[] = []
  #bytes = 0

  constructor(packet: Packet, owner: string, options: PacketReaderOptions) {
    this.#packet = packet
    this.#owner = owner
    this.#options = options
  }

  /**
   * Adds an attachment. Returns the packet if it was the last one.
   * @throws PacketError
   */
  add(bytes: Uint8Array): Packet | null {
    const { held, maxPayloadBytes } = this.#options
    if (this.#bytes + bytes.length > maxPayloadBytes || !held.add(bytes.length, this.#owner)) {
      throw new PacketError('the attachments are too large')
    }
    this.#bytes += bytes.length
    this.#attachments.push(bytes)
    if (this.#attachments.length < this.#packet.attachments) return null
    this.release()
    return { ...this.#packet, data: insertAttachments(this.#packet.data, this.#attachments) }
  }

  /** The bytes are no longer held. */
  release(): void {
    this.#options.held.remove(this.#bytes, this.#owner)
    this.#bytes = 0
  }
}
