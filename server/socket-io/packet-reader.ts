/**
 * Packet reader: the messages of one client as packets, each with its attachments.
 *
 * Attachments follow their packet as binary messages. Bounded: the attachments of one packet have at most
 * `maxBytes`, and those of all clients together the limit of `held`.
 */
import type { HeldBytes } from '../held-bytes.ts'
import { insertAttachments, type Packet, PacketError, parsePacket } from './packet.ts'

/** A packet whose attachments have not all arrived. */
interface IncompletePacket {
  readonly packet: Packet
  readonly attachments: Uint8Array[]
  bytes: number
}

export class PacketReader {
  readonly #held: HeldBytes
  readonly #maxBytes: number
  #incomplete: IncompletePacket | null = null

  constructor(held: HeldBytes, maxBytes: number) {
    this.#held = held
    this.#maxBytes = maxBytes
  }

  /**
   * The packet that the message completes, or null if attachments are missing. Attachments are accepted
   * only with `acceptsAttachments`.
   * @throws PacketError
   */
  read(message: string | Uint8Array, acceptsAttachments: boolean): Packet | null {
    if (typeof message !== 'string') return this.#attach(message)
    if (this.#incomplete) throw new PacketError('text between attachments')
    const packet = parsePacket(message)
    if (packet.attachments === 0) return packet
    if (!acceptsAttachments) throw new PacketError('not connected')
    this.#incomplete = { packet, attachments: [], bytes: 0 }
    return null
  }

  /** Discards an incomplete packet. */
  reset(): void {
    if (this.#incomplete) this.#held.remove(this.#incomplete.bytes)
    this.#incomplete = null
  }

  #attach(bytes: Uint8Array): Packet | null {
    const incomplete = this.#incomplete
    if (!incomplete) throw new PacketError('no packet has this attachment')
    if (incomplete.bytes + bytes.length > this.#maxBytes || !this.#held.add(bytes.length)) {
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
