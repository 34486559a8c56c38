/**
 * Frame writer: client frames, masked as RFC 6455 asks, gathered into one buffer.
 *
 * One writer serves all clients of a process: what one of them has to say while one read is handled
 * is gathered, and leaves in one `write`. The masking key is always the same: it protects proxies
 * from pages, and there are neither here; the server undoes it at the same cost.
 */
import { Opcode } from './frame-reader.ts'

const MASK = [0x5a, 0xc3, 0x96, 0x3c] as const
const MASKED = 0x80
const FIN = 0x80
const FIRST_BYTES = 64 * 1024
const LONGEST_HEADER = 8
const LONGEST_PAYLOAD = 0xffff

export class FrameWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)
  #length = 0

  /** Appends a frame; payloads are below 64 KiB. */
  add(payload: Uint8Array, opcode: number = Opcode.binary): void {
    const { length } = payload
    if (length > LONGEST_PAYLOAD) throw new Error(`a payload of ${length} bytes is too long`)
    this.#reserve(LONGEST_HEADER + length)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = FIN | opcode
    if (length < 126) {
      bytes[at++] = MASKED | length
    } else {
      bytes[at++] = MASKED | 126
      bytes[at++] = length >> 8
      bytes[at++] = length & 0xff
    }
    for (let i = 0; i < 4; i++) bytes[at++] = MASK[i] as number
    for (let i = 0; i < length; i++) bytes[at++] = (payload[i] as number) ^ (MASK[i & 3] as number)
    this.#length = at
  }

  /** What has gathered, as a buffer of the caller's own; null where nothing has. */
  take(): Buffer | null {
    if (this.#length === 0) return null
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return taken
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + bytes))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
