/**
 * Start storage: starts the writer, reader or copier thread, and waits until it is ready.
 */
import { on } from 'node:events'
import type { Worker } from 'node:worker_threads'
import type { EngineLogger } from '../base/engine-logger.ts'
import { StorageError } from '../base/storage-error.ts'
import { startThread } from './start-thread.ts'
import type { StorageThreadData, StorageThreadNote } from './writer-thread.ts'

export type StorageRole = 'writer' | 'reader' | 'copier'

/** The thread ends by itself after the message `end`. @throws StorageError */
export async function startStorageThread(
  role: StorageRole,
  logger: EngineLogger,
  data: StorageThreadData,
): Promise<Worker> {
  const { ports, watch, search, copier } = data
  const worker = startThread(new URL(`./${role}-thread.js`, import.meta.url), {
    workerData: data,
    transferList: [...ports, watch, ...(search ? [search] : []), ...(copier ? [copier] : [])],
    name: `storage-${role}`,
  })
  for await (const [note] of on(worker, 'message') as AsyncIterable<[StorageThreadNote]>) {
    if (note.type === 'ready') break
    if (note.type === 'failed') throw new StorageError(note.message)
    if (note.type === 'damaged') continue
    logger[note.level](note.fields, note.message)
  }
  return worker
}
