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
import { rethrowAsErrors } from '../shards/thread-errors.ts'
import { answerPings } from '../shards/watchdog.ts'
import type { ReadQuery, SearchRead } from '../storage/log.ts'
import { QueryServer } from '../threads/query-server.ts'
import type { ChangeNote } from './changed-groups.ts'
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
  const server = new QueryServer<ReadQuery<SearchRead>>({
    run: (query) => service.run(query),
    defer: setImmediate,
    steadyNow: () => performance.now(),
  })
  for (const port of ports) server.serve(port)
  writer.on('message', (note: ChangeNote) => {
    service.changed(note, () => writer.postMessage('taken'))
  })
  main.on('message', (message: ToSearchThread) => {
    if (message === 'stats') return tell({ type: 'stats', stats: service.stats() })
    server.close()
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

/** On Linux 0 names the calling thread; elsewhere it would be the whole process. */
function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, NICE)
  } catch {
    // Not allowed here: it runs like the others.
  }
}
