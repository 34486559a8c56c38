/**
 * Shard thread: a shard in a worker. Gets batches from the hub over its parent port, and reaches
 * the storage threads over a port each. Ends by itself after `drained`, when the hub says so.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { machineClock } from '../base/clock.ts'
import { newId } from '../base/new-id.ts'
import { lanesOf } from '../base/partition.ts'
import { FilePort } from '../files/file-port.ts'
import { type PostNotices, postReports } from '../hooks/post-reports.ts'
import { RemoteSearch } from '../search/search-ends.ts'
import { Shard, type ShardOptions } from '../shards/shard.ts'
import { RemoteLog } from '../storage/remote-log.ts'
import { RemoteViews } from '../storage/remote-views.ts'
import { parseAnswer } from '../storage/summary-texts.ts'
import type { ReadQuery } from '../stored/reads.ts'
import { BatchWriter } from '../threads/batch.ts'
import { QueryPort } from '../threads/query-port.ts'
import { rethrowAsErrors } from '../threads/thread-errors.ts'
import { startTimer } from '../threads/timer.ts'
import { answerPings } from '../threads/watchdog.ts'

/** What the main thread starts a shard thread with. */
export interface ShardThreadData {
  readonly options: ShardOptions
  readonly postNotices: PostNotices | undefined
  readonly files: MessagePort
  readonly log: LogPorts
  readonly watch: MessagePort
}

/** The ports to the threads of storage and search. */
export interface LogPorts {
  readonly writer: MessagePort
  readonly reader: MessagePort
  readonly search: MessagePort
}

const SWEEP_MS = 10_000
/** Open reads of one shard; above that a read is refused as `overloaded`. */
const MAX_READS = 16_384
/** Open searches of one shard: about a second of work. */
const MAX_SEARCHES = 128

const { options, postNotices, files: filePort, log: ports, watch } = workerData as ShardThreadData
rethrowAsErrors()
answerPings(watch)
const hub = parentPort as MessagePort
const files = new FilePort(filePort)
const reader = new QueryPort<ReadQuery>(ports.reader, setImmediate, MAX_READS, parseAnswer)
const search = new QueryPort<ReadQuery>(ports.search, setImmediate, MAX_SEARCHES, parseAnswer)
const lanes = lanesOf(options.index, options.shards)

const shard = new Shard(options, {
  ...machineClock,
  newId: () => newId(Date.now()),
  after: startTimer,
  defer: setImmediate,
  toHub: new BatchWriter((batch) => hub.postMessage(batch, [batch.buffer as ArrayBuffer]), setImmediate),
  openLog: (listener) => new RemoteLog({ writer: ports.writer, reader, lanes, after: startTimer }, listener),
  views: new RemoteViews(reader),
  search: new RemoteSearch(search),
  files,
  watchPosts: postReports(postNotices),
})
const sweep = setInterval(() => shard.sweep(), SWEEP_MS)

hub.on('message', (message: Uint8Array | 'end') => {
  if (message !== 'end') return shard.receive(message)
  clearInterval(sweep)
  shard.close()
  reader.close()
  search.close()
  void files.close()
  hub.close()
})
