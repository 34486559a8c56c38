/**
 * Copier thread: copies the write-ahead log to the database file while the writer thread commits.
 *
 * The writer asks for one copy at a time on a port and is answered there.
 */
import { workerData } from 'node:worker_threads'
import type { CopiedFrames } from '../storage/copied-frames.ts'
import { WalCopier } from '../storage/sqlite/wal-copier.ts'
import { rethrowAsErrors } from '../threads/thread-errors.ts'
import { answerPings } from '../threads/watchdog.ts'
import { runStorageThread } from './run-storage-thread.ts'
import type { StorageThreadData } from './writer-thread.ts'

const { dataDir, durability, ports, watch } = workerData as StorageThreadData
rethrowAsErrors()
answerPings(watch)

runStorageThread(ports, () => {
  const copier = new WalCopier(dataDir, durability)
  for (const port of ports) {
    port.on('message', () => port.postMessage(copier.copy() satisfies CopiedFrames | null))
  }
  return () => copier.close()
})
