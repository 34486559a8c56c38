/**
 * Packing: objects as bytes between this process's own threads.
 *
 * Unlike the wire it may use msgpackr's records, which write an object's keys once a batch. Each
 * packed value is independent of the others.
 */
import type { MessagePort } from 'node:worker_threads'
import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: true, maxSharedStructures: 0, int64AsType: 'number' })

/** Bytes of a value: a view of a larger buffer, never written again. */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value)
}

/** Sends a packed value. Its bytes are copied from the larger buffer and transferred. */
export function post(port: MessagePort, value: unknown): void {
  const bytes = Uint8Array.from(packr.pack(value))
  port.postMessage(bytes, [bytes.buffer])
}

/** The value of bytes that `pack` made. */
export function unpack<T>(bytes: Uint8Array): T {
  return packr.unpack(bytes) as T
}
