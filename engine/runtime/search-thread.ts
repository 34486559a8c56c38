/**
 * Search thread: runs the search service in a worker, so that it does not block other work.
 *
 * Each shard sends queries over its own port. The writer sends notes of commits over another port.
 * Where threads have priorities (Linux), this one has a low priority: messages come first, and the
 * index catches up.
 */
import { setPriority } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { EngineLogger } from '../base/engine-logger.ts'
import type { ChangeNote } from '../search/changed-groups.ts'
import type { IndexerStats } from '../search/indexer-stats.ts'
import { SearchService } from '../search/search-service.ts'
import type { ReadQuery, SearchRead } from '../stored/reads.ts'
import { QueryServer } from '../threads/query-server.ts'
import { rethrowAsErrors } from '../threads/thread-errors.ts'
import { answerPings } from '../threads/watchdog.ts'

/** Start data from the main thread. */
export interface SearchThreadData {
  readonly dataDir: string
  /** One port per shard. */
  readonly ports: readonly MessagePort[]
  readonly writer: MessagePort
  readonly watch: MessagePort
}

/** Messages from the main thread. */
export type ToSearchThread = 'stats' | 'end'

/** Messages to the main thread. */
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

/** Added to the priority of the process. The lowest priority is 19. */
const NICE = 10

const { dataDir, ports, writer, watch } = workerData as SearchThreadData
const main = parentPort as MessagePort
rethrowAsErrors()
answerPings(watch)
const post = (note: SearchThreadNote) => main.postMessage(note)
const logAs = (level: keyof EngineLogger) => (fields: object, message: string) =>
  post({ type: 'log', level, fields, message })

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
    together: (slice) => slice(),
    defer: setImmediate,
    steadyNow: () => performance.now(),
  })
  for (const port of ports) server.serve(port)
  writer.on('message', (note: ChangeNote) => {
    service.changed(note, () => writer.postMessage('handled'))
  })
  main.on('message', (message: ToSearchThread) => {
    if (message === 'stats') return post({ type: 'stats', stats: service.stats() })
    server.close()
    closePorts()
    service.finish()
    service.close()
    main.close()
  })
  post({ type: 'ready' })
} catch (error) {
  closePorts()
  post({ type: 'failed', message: (error as Error).message })
  main.close()
}

/** On Linux, 0 means the calling thread. On other systems it would mean the whole process. */
function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, NICE)
  } catch {
    // Not permitted: the thread runs with the normal priority.
  }
}
