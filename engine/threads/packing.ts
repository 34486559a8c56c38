/**
 * Packing: objects as bytes between this process's own threads.
 *
 * Unlike the wire it may use msgpackr's records, which write an object's keys once a batch. Each
 * packed value stands for itself; nothing is remembered between two of them.
 */
import type { MessagePort } from 'node:worker_threads'
import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: true, maxSharedStructures: 0, int64AsType: 'number' })

/** Bytes of a value: a view of a larger buffer, never written again. */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value)
}

/** Sends a packed value; the bytes move, nothing of the larger buffer goes with them. */
export function post(port: MessagePort, value: unknown): void {
  const bytes = Uint8Array.from(pack(value))
  port.postMessage(bytes, [bytes.buffer])
}

/** The value of bytes that `pack` made. */
export function unpack<T>(bytes: Uint8Array): T {
  return packr.unpack(bytes) as T
}
