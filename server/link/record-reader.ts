/**
 * Record reader: the records in the bytes of a link, checked.
 *
 * A record is handled as soon as it is complete, from the bytes in which it arrived: only a record that is
 * cut by the end of a chunk is copied. Bounded: a record of more than `maxBytes` is an error before anything
 * is allocated for it.
 */
import type { VisitRecord } from '../../engine/threads/batch.ts'
import { LinkError } from './link-error.ts'

const HEADER_BYTES = 11

export class RecordReader {
  readonly #maxBytes: number
  readonly #visit: VisitRecord
  /** The beginning of a record, at first of its header only. */
  #partial: Buffer | null = null
  #filled = 0

  constructor(maxBytes: number, visit: VisitRecord) {
    this.#maxBytes = maxBytes
    this.#visit = visit
  }

  /** Handles the next bytes. @throws LinkError for a record that is too large, and what `visit` throws */
  push(chunk: Buffer): void {
    let at = this.#partial ? this.#complete(chunk) : 0
    while (chunk.length - at >= HEADER_BYTES) {
      const end = at + this.#sizeAt(chunk, at)
      if (end > chunk.length) break
      this.#handle(chunk, at, end)
      at = end
    }
    if (at < chunk.length) {
      const left = chunk.length - at
      this.#partial = Buffer.allocUnsafe(left < HEADER_BYTES ? HEADER_BYTES : this.#sizeAt(chunk, at))
      chunk.copy(this.#partial, 0, at)
      this.#filled = left
    }
  }

  /** Adds bytes to the record that is incomplete. Returns where the next record begins. */
  #complete(chunk: Buffer): number {
    let at = 0
    let partial = this.#partial as Buffer
    if (this.#filled < HEADER_BYTES) {
      at = this.#fill(partial, chunk, 0, HEADER_BYTES)
      if (this.#filled < HEADER_BYTES) return at
      const whole = Buffer.allocUnsafe(this.#sizeAt(partial, 0))
      partial.copy(whole)
      this.#partial = whole
      partial = whole
    }
    at = this.#fill(partial, chunk, at, partial.length)
    if (this.#filled === partial.length) {
      this.#partial = null
      this.#handle(partial, 0, partial.length)
    }
    return at
  }

  #fill(into: Buffer, chunk: Buffer, from: number, upTo: number): number {
    const count = Math.min(upTo - this.#filled, chunk.length - from)
    chunk.copy(into, this.#filled, from, from + count)
    this.#filled += count
    return from + count
  }

  #sizeAt(bytes: Buffer, at: number): number {
    const size = HEADER_BYTES + bytes.readUInt16LE(at + 1) + bytes.readUInt32LE(at + 7)
    if (size > this.#maxBytes) throw new LinkError(`a record of ${size} bytes; at most ${this.#maxBytes}`)
    return size
  }

  #handle(bytes: Buffer, at: number, end: number): void {
    const idEnd = at + HEADER_BYTES + bytes.readUInt16LE(at + 1)
    this.#visit(
      bytes[at] as number,
      bytes.readUInt32LE(at + 3),
      bytes.subarray(at + HEADER_BYTES, idEnd),
      bytes.subarray(idEnd, end),
    )
  }
}
