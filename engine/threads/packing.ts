/**
 * Packing: objects as bytes between this process's own threads.
 *
 * Unlike the wire a batch uses msgpackr's records, which write an object's keys once. One value is a map:
 * its record would be defined for it alone, which costs twice as much to write and to read. Each packed
 * value is independent of the others.
 */
import type { MessagePort } from 'node:worker_threads'
import { Packr } from 'msgpackr'

/** Reads both. */
const values = new Packr({ useRecords: false, int64AsType: 'number' })
const batches = new Packr({ useRecords: true, maxSharedStructures: 0, int64AsType: 'number' })

/** Bytes of a value: a view of a larger buffer, never written again. */
export function pack(value: unknown): Uint8Array {
  return values.pack(value)
}

/** Sends a packed batch. Its bytes are copied from the larger buffer and transferred. */
export function post(port: MessagePort, value: unknown): void {
  const bytes = Uint8Array.from(batches.pack(value))
  port.postMessage(bytes, [bytes.buffer])
}

/** The value of bytes that `pack` or `post` made. */
export function unpack<T>(bytes: Uint8Array): T {
  return values.unpack(bytes) as T
}
