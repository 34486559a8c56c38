/**
 * Shard thread: a shard in a worker. Gets batches from the hub over its parent port, and reaches
 * the storage threads over a port each. Ends by itself after `drained`, when the hub says so.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { machineClock } from '../base/clock.ts'
import { newId } from '../base/new-id.ts'
import { FilePort } from '../files/file-port.ts'
import { Shard, type ShardOptions } from '../shards/shard.ts'
import { type LogPorts, RemoteLog } from '../storage/remote-log.ts'
import { Outbox } from '../threads/batch.ts'
import { rethrowAsErrors } from '../threads/thread-errors.ts'
import { startTimer } from '../threads/timer.ts'
import { answerPings } from '../threads/watchdog.ts'

/** What the main thread starts a shard thread with. */
export interface ShardThreadData {
  readonly options: ShardOptions
  readonly files: MessagePort
  readonly log: LogPorts
  readonly watch: MessagePort
}

const SWEEP_MS = 10_000

const { options, files: filePort, log: ports, watch } = workerData as ShardThreadData
rethrowAsErrors()
answerPings(watch)
const hub = parentPort as MessagePort
const logs: RemoteLog[] = []
const files = new FilePort(filePort)

const shard = new Shard(options, {
  ...machineClock,
  newId: () => newId(Date.now()),
  after: startTimer,
  toHub: new Outbox((batch) => hub.postMessage(batch, [batch.buffer as ArrayBuffer]), setImmediate),
  openLog: (listener) => {
    const log = new RemoteLog(ports, listener, setImmediate)
    logs.push(log)
    return log
  },
  files,
})
const sweep = setInterval(() => shard.sweep(), SWEEP_MS)

hub.on('message', (message: Uint8Array | 'end') => {
  if (message !== 'end') return shard.receive(message)
  clearInterval(sweep)
  shard.close()
  for (const log of logs) log.close()
  void files.close()
  hub.close()
})
