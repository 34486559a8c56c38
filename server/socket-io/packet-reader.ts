/**
 * Packet reader: the messages of one client as packets, each with its attachments.
 *
 * Attachments follow their packet as binary messages. Bounded: the attachments of one packet have at most
 * `maxPayloadBytes`, and those of all clients together the limit of `held`.
 */
import type { HeldBytes } from '../held-bytes.ts'
import { MAX_NEWCOMER_BYTES } from '../newcomers.ts'
import { insertAttachments, type Packet, PacketError, parsePacket, type Sender } from './packet.ts'

/** A packet whose attachments have not all arrived. */
interface IncompletePacket {
  readonly packet: Packet
  readonly attachments: Uint8Array[]
  /** The owner of the held bytes. */
  readonly owner: string
  bytes: number
}

export interface PacketReaderOptions {
  readonly held: HeldBytes
  /** The largest event of a client. */
  readonly maxPayloadBytes: number
  /** The largest frame of a request; an event that contains no file is not much larger. */
  readonly maxMessageBytes: number
}

/** Characters of JSON that one byte of a value can need, such as `\u0061`. */
const CHARS_PER_BYTE = 6

export class PacketReader {
  readonly #options: PacketReaderOptions
  #incomplete: IncompletePacket | null = null

  constructor(options: PacketReaderOptions) {
    this.#options = options
  }

  /**
   * The packet that the message completes, or null if attachments are missing. Before the client is
   * connected there are no attachments, and packets are small.
   * @throws PacketError
   */
  read(message: string | Uint8Array, sender: Sender): Packet | null {
    if (typeof message !== 'string') return this.#attach(message)
    const isConnected = sender.userId !== ''
    if (!isConnected && message.length > MAX_NEWCOMER_BYTES) throw new PacketError('not connected')
    if (this.#incomplete) throw new PacketError('text between attachments')
    const maxChars = CHARS_PER_BYTE * this.#options.maxMessageBytes
    const packet = parsePacket(message, maxChars, sender)
    if (packet.attachments === 0) return packet
    if (!isConnected) throw new PacketError('not connected')
    this.#incomplete = { packet, attachments: [], owner: sender.userId, bytes: 0 }
    return null
  }

  /** Discards an incomplete packet. */
  reset(): void {
    if (this.#incomplete) this.#options.held.remove(this.#incomplete.bytes, this.#incomplete.owner)
    this.#incomplete = null
  }

  #attach(bytes: Uint8Array): Packet | null {
    const incomplete = this.#incomplete
    if (!incomplete) throw new PacketError('no packet has this attachment')
    const { held, maxPayloadBytes } = this.#options
    if (incomplete.bytes + bytes.length > maxPayloadBytes || !held.add(bytes.length, incomplete.owner)) {
      this.reset()
      throw new PacketError('the attachments are too large')
    }
    incomplete.bytes += bytes.length
    incomplete.attachments.push(bytes)
    const { packet, attachments } = incomplete
    if (attachments.length < packet.attachments) return null
    this.reset()
    return { ...packet, data: insertAttachments(packet.data, attachments) }
  }
}
