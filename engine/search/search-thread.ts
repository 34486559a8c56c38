/**
 * Search thread: the search service in a worker, out of the way of everything else.
 *
 * Shards ask over a port each, the writer tells over another what it has committed. Where the
 * system knows threads' priorities (Linux), this one's is low: messages go first, and the index
 * catches up.
 */
import { setPriority } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { EngineLogger } from '../engine-logger.ts'
import { post, unpack } from '../shards/packing.ts'
import { rethrowAsErrors } from '../shards/thread-errors.ts'
import { answerPings } from '../shards/watchdog.ts'
import type { ReadQuery, SearchRead } from '../storage/log.ts'
import type { ReadAnswer } from '../storage/query-port.ts'
import type { ChangeNote } from './changed-groups.ts'
import { FairQueue } from './fair-queue.ts'
import type { IndexerStats } from './indexer-stats.ts'
import { SearchService } from './search-service.ts'

/** What the main thread starts the search thread with. */
export interface SearchThreadData {
  readonly dataDir: string
  /** One for each shard. */
  readonly ports: readonly MessagePort[]
  readonly writer: MessagePort
  readonly watch: MessagePort
}

/** What the main thread says to it. */
export type ToSearchThread = 'stats' | 'end'

/** What it tells the main thread. */
export type SearchThreadNote =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stats'; readonly stats: IndexerStats }
  | {
      readonly type: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly fields: object
      readonly message: string
    }

/** Added to the priority of the process, where 19 is the last. */
const NICE = 10

const { dataDir, ports, writer, watch } = workerData as SearchThreadData
const main = parentPort as MessagePort
rethrowAsErrors()
answerPings(watch)
const tell = (note: SearchThreadNote) => main.postMessage(note)
const logAs = (level: keyof EngineLogger) => (fields: object, message: string) =>
  tell({ type: 'log', level, fields, message })

let ended = false
const closePorts = () => {
  for (const port of [...ports, writer]) port.close()
}

try {
  lowerPriority()
  const service = new SearchService(dataDir, {
    info: logAs('info'),
    warn: logAs('warn'),
    error: logAs('error'),
  })
  const queue = new FairQueue((task) => {
    if (!ended) setImmediate(task)
  })
  for (const port of ports) {
    port.on('message', (batch: Uint8Array) => {
      for (const [id, query] of unpack<[number, ReadQuery<SearchRead>][]>(batch)) {
        queue.push(query.userId, () => post(port, [answer(service, id, query)]))
      }
    })
  }
  writer.on('message', (note: ChangeNote) => {
    service.changed(note, () => writer.postMessage('taken'))
  })
  main.on('message', (message: ToSearchThread) => {
    if (message === 'stats') return tell({ type: 'stats', stats: service.stats() })
    ended = true
    closePorts()
    service.finish()
    service.close()
    main.close()
  })
  tell({ type: 'ready' })
} catch (error) {
  closePorts()
  tell({ type: 'failed', message: (error as Error).message })
  main.close()
}

function answer(service: SearchService, id: number, query: ReadQuery<SearchRead>): ReadAnswer {
  try {
    return [id, true, service.run(query)]
  } catch (error) {
    return [id, false, error instanceof Error ? error.message : String(error)]
  }
}

/** On Linux 0 names the calling thread; elsewhere it would be the whole process. */
function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, NICE)
  } catch {
    // Not allowed here: it runs like the others.
  }
}
