/**
 * Logs for tests: every implementation of `Log` and `Views`, with what the log reported about its lanes.
 */
import { once } from 'node:events'
import { MessageChannel, type Worker } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import { lanesOf } from '../../engine/base/partition.ts'
import type { Log, LogListener } from '../../engine/log/log.ts'
import type { Views } from '../../engine/log/views.ts'
import { openInlineStorage } from '../../engine/runtime/inline-storage.ts'
import type { StorageThreadData } from '../../engine/runtime/writer-thread.ts'
import { RemoteLog } from '../../engine/storage/remote-log.ts'
import { RemoteViews } from '../../engine/storage/remote-views.ts'
import { parseAnswer } from '../../engine/storage/summary-texts.ts'
import { laneOfOwner, ownerOf } from '../../engine/stored/entry-owner.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'
import type { ReadQuery } from '../../engine/stored/reads.ts'
import { QueryPort } from '../../engine/threads/query-port.ts'
import { startTimer } from '../../engine/threads/timer.ts'
import { Watchdog } from '../../engine/threads/watchdog.ts'
import { builtModules } from './bundle.ts'
import { eventually } from './conditions.ts'
import { temporaryFolder } from './engines.ts'

export interface OpenLog {
  readonly log: Log
  readonly views: Views
  readonly dataDir: string
  /** What the log reported, in order. */
  readonly reports: string[]
  /** The newest committed offset of each lane. */
  readonly committed: Map<number, number>
  /** Appends entries in one turn, to the lanes of their owners; resolves when they are committed. */
  write(...entries: LogEntry[]): Promise<void>
}

type Open = (dataDir: string, listener: LogListener) => Promise<Pick<OpenLog, 'log' | 'views'>>

/** Opens the only log of its folder, which owns all lanes and is closed after the test. */
export const logs: readonly { readonly name: string; readonly open: () => Promise<OpenLog> }[] = [
  { name: 'SQLite on the calling thread', open: () => opened(openInline) },
  { name: 'SQLite on threads', open: () => opened(openThreaded) },
]

const lanes = lanesOf(0, 1)

async function opened(open: Open): Promise<OpenLog> {
  const dataDir = temporaryFolder()
  const reports: string[] = []
  const committed = new Map<number, number>()
  const { log, views } = await open(dataDir, {
    committed: (reached) => {
      for (const [lane, offset] of reached) committed.set(lane, offset)
      if (reached.length > 0) reports.push(`committed ${reached.length}`)
    },
    failing: (failed, reason) => reports.push(`failing ${failed.length}: ${reason}`),
    refused: (lane, owner, from, reason) =>
      reports.push(`refused ${owner} in ${lane} from ${from}: ${reason}`),
  })
  const appended = new Map<number, number>()
  return {
    log,
    views,
    dataDir,
    reports,
    committed,
    async write(...entries) {
      const batches = new Map<number, LogEntry[]>()
      for (const entry of entries) {
        const lane = laneOfOwner(ownerOf(entry))
        batches.set(lane, [...(batches.get(lane) ?? []), entry])
        appended.set(lane, (appended.get(lane) ?? 0) + 1)
      }
      log.append([...batches].map(([lane, batch]) => ({ lane, entries: batch })))
      await eventually(() => {
        for (const [lane, offset] of appended) {
          if (committed.get(lane) !== offset) throw new Error(`lane ${lane} is not committed up to ${offset}`)
        }
      })
    },
  }
}

const openInline: Open = async (dataDir, listener) => {
  const storage = openInlineStorage(dataDir, 'process')
  onTestFinished(() => storage.close())
  return { log: storage.log(lanes, listener), views: storage.views }
}

const openThreaded: Open = async (dataDir, listener) => {
  const { startStorageThread } = (await import(
    builtModules.startStorage
  )) as typeof import('../../engine/runtime/start-storage.ts')
  const watchdog = new Watchdog()
  const channels = { writer: new MessageChannel(), reader: new MessageChannel() }
  const start = (role: 'writer' | 'reader'): Promise<Worker> => {
    const data: StorageThreadData = {
      dataDir,
      durability: 'process',
      ports: [channels[role].port1],
      watch: watchdog.watch(role),
    }
    return startStorageThread(role, { info() {}, warn() {}, error() {} }, data)
  }
  const writer = await start('writer')
  const reader = await start('reader')
  const queries = new QueryPort<ReadQuery>(channels.reader.port2, setImmediate, 100, parseAnswer)
  const log = new RemoteLog(
    { writer: channels.writer.port2, reader: queries, lanes, after: startTimer },
    listener,
  )
  onTestFinished(async () => {
    log.close()
    queries.close()
    for (const worker of [reader, writer]) {
      const ended = once(worker, 'exit')
      worker.postMessage('end')
      await ended
    }
    watchdog.close()
  })
  return { log, views: new RemoteViews(queries) }
}
