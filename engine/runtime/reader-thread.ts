/**
 * Reader thread: cold history and everything else that is read from the file, out of the way of
 * the commits. The users whose queries wait are served in turn (INP-2).
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { damageRefusal, isDamage } from '../storage/damage.ts'
import { openReader } from '../storage/sqlite/database.ts'
import { Reader } from '../storage/sqlite/reader.ts'
import type { ReadQuery } from '../stored/reads.ts'
import { QueryServer } from '../threads/query-server.ts'
import { rethrowAsErrors } from '../threads/thread-errors.ts'
import { answerPings } from '../threads/watchdog.ts'
import { runStorageThread } from './run-storage-thread.ts'
import type { StorageThreadData, StorageThreadNote } from './writer-thread.ts'

const { dataDir, ports, watch } = workerData as StorageThreadData
const main = parentPort as MessagePort
rethrowAsErrors()
answerPings(watch)

runStorageThread(ports, () => {
  const reader = new Reader(openReader(dataDir))
  const server = new QueryServer<ReadQuery>({
    run: (query) => answer(reader, query),
    together: (slice) => reader.together(slice),
    defer: setImmediate,
    steadyNow: () => performance.now(),
  })
  for (const port of ports) server.serve(port)
  return () => {
    server.close()
    reader.close()
  }
})

function answer(reader: Reader, query: ReadQuery): unknown {
  try {
    return reader.answer(query)
  } catch (error) {
    if (!isDamage(error)) throw error
    main.postMessage({ type: 'damaged', cause: String(error) } satisfies StorageThreadNote)
    throw damageRefusal()
  }
}
