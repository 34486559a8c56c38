/**
 * Copier thread: copies the write-ahead log to the database file while the writer thread commits.
 *
 * The writer asks for one copy at a time on a port and is answered there.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { CopiedFrames } from '../storage/copied-frames.ts'
import { WalCopier } from '../storage/sqlite/wal-copier.ts'
import { rethrowAsErrors } from '../threads/thread-errors.ts'
import { answerPings } from '../threads/watchdog.ts'
import type { StorageThreadData, StorageThreadNote } from './writer-thread.ts'

const { dataDir, durability, ports, watch } = workerData as StorageThreadData
const main = parentPort as MessagePort
rethrowAsErrors()
answerPings(watch)

try {
  const copier = new WalCopier(dataDir, durability)
  for (const port of ports) {
    port.on('message', () => port.postMessage(copier.copy() satisfies CopiedFrames | null))
  }
  main.once('message', () => {
    for (const port of ports) port.close()
    copier.close()
    main.close()
  })
  main.postMessage({ type: 'ready' } satisfies StorageThreadNote)
} catch (error) {
  for (const port of ports) port.close()
  main.postMessage({ type: 'failed', message: (error as Error).message } satisfies StorageThreadNote)
  main.close()
}
