/**
 * Reader thread: cold history and everything else that is read from the file, out of the way of
 * the commits. Answers each shard's batch of queries with one batch.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { post, unpack } from '../shards/packing.ts'
import { rethrowAsErrors } from '../shards/thread-errors.ts'
import { answerPings } from '../shards/watchdog.ts'
import { isDamage } from './damage.ts'
import type { ReadQuery } from './log.ts'
import type { ReadAnswer } from './query-port.ts'
import { openReader } from './sqlite/database.ts'
import { Reader } from './sqlite/reader.ts'
import type { StorageThreadData, StorageThreadNote } from './writer-thread.ts'

/** Answers of one batch: the first need not wait for the last. */
const SLICE = 64

const { dataDir, ports, watch } = workerData as StorageThreadData
const main = parentPort as MessagePort
rethrowAsErrors()
answerPings(watch)

try {
  const reader = new Reader(openReader(dataDir))
  for (const port of ports) {
    port.on('message', (batch: Uint8Array) => answer(reader, port, unpack<[number, ReadQuery][]>(batch)))
  }
  main.once('message', () => {
    for (const port of ports) port.close()
    reader.close()
    main.close()
  })
  main.postMessage({ type: 'ready' } satisfies StorageThreadNote)
} catch (error) {
  for (const port of ports) port.close()
  main.postMessage({ type: 'failed', message: (error as Error).message } satisfies StorageThreadNote)
  main.close()
}

function answer(reader: Reader, port: MessagePort, queries: [number, ReadQuery][]): void {
  for (let from = 0; from < queries.length; from += SLICE) {
    const answers = queries.slice(from, from + SLICE).map(([id, query]): ReadAnswer => {
      try {
        return [id, true, reader.answer(query)]
      } catch (error) {
        if (isDamage(error))
          main.postMessage({ type: 'damaged', cause: String(error) } satisfies StorageThreadNote)
        return [id, false, error instanceof Error ? error.message : String(error)]
      }
    })
    post(port, answers)
  }
}
