/**
 * Shard thread: a shard in a worker. Gets batches from the hub over its parent port, and reaches
 * the storage threads over a port each. Ends by itself after `drained`, when the hub says so.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { newId } from '../new-id.ts'
import { RemoteLog } from '../storage/remote-log.ts'
import { Outbox } from './batch.ts'
import { Shard, type ShardOptions } from './shard.ts'
import { startTimer } from './timer.ts'

/** What the main thread starts a shard thread with. */
export interface ShardThreadData {
  readonly options: ShardOptions
  readonly writer: MessagePort
  readonly reader: MessagePort
}

const SWEEP_MS = 10_000

const { options, writer, reader } = workerData as ShardThreadData
const hub = parentPort as MessagePort
const logs: RemoteLog[] = []

const shard = new Shard(options, {
  now: Date.now,
  newId: () => newId(Date.now()),
  after: startTimer,
  toHub: new Outbox((batch) => hub.postMessage(batch, [batch.buffer as ArrayBuffer]), setImmediate),
  openLog: (listener) => {
    const log = new RemoteLog(writer, reader, listener, setImmediate)
    logs.push(log)
    return log
  },
})
const sweep = setInterval(() => shard.sweep(), SWEEP_MS)

hub.on('message', (message: Uint8Array | 'end') => {
  if (message !== 'end') return shard.receive(message)
  clearInterval(sweep)
  shard.close()
  for (const log of logs) log.close()
  hub.close()
})
