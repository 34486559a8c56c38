/**
 * Start search: the main thread's end of the search thread.
 */
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import type { EngineLogger } from '../base/engine-logger.ts'
import { StorageError } from '../base/storage-error.ts'
import type { IndexerStats } from '../search/indexer-stats.ts'
import type { SearchThreadData, SearchThreadNote, ToSearchThread } from './search-thread.ts'
import { startThread } from './start-thread.ts'

export interface RunningSearch {
  /** Ends by itself after `end`. */
  readonly worker: Worker
  /** State of the index. After the thread was waiting to end, the promise stays pending. */
  stats(): Promise<IndexerStats>
}

/** Starts the thread. The log's database must exist. @throws StorageError */
export async function startSearch(data: SearchThreadData, logger: EngineLogger): Promise<RunningSearch> {
  const worker = startThread(new URL('./search-thread.js', import.meta.url), {
    workerData: data,
    transferList: [...data.ports, data.writer, data.watch],
    name: 'search',
  })
  const waiting: ((stats: IndexerStats) => void)[] = []
  worker.on('message', (note: SearchThreadNote) => {
    if (note.type === 'log') logger[note.level](note.fields, note.message)
    else if (note.type === 'stats') waiting.shift()?.(note.stats)
  })
  const [note] = (await once(worker, 'message')) as [SearchThreadNote]
  if (note.type === 'failed') throw new StorageError(note.message)
  return {
    worker,
    stats: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        worker.postMessage('stats' satisfies ToSearchThread)
      }),
  }
}
