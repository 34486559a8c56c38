/**
 * Worker shards: the shards and the storage, each on a thread of its own.
 *
 * The main thread starts them, storage first, and connects each shard to the writer and the
 * reader by a port of its own. They end by themselves when told to, shards before storage; none
 * is terminated, since a thread with an open database would take the process with it.
 */
import { once } from 'node:events'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { startSearch } from '../search/start-search.ts'
import type { Durability } from '../storage/sqlite/database.ts'
import { StorageError } from '../storage/storage-error.ts'
import type { StorageThreadData, StorageThreadNote } from '../storage/writer-thread.ts'
import type { RunningShards, ShardsOptions } from './running-shards.ts'
import type { ShardOptions } from './shard.ts'
import type { ShardThreadData } from './shard-thread.ts'

/** Starts `shards` shard threads and the threads of storage and search. @throws StorageError */
export async function startWorkerShards(shards: number, options: ShardsOptions): Promise<RunningShards> {
  const { dataDir, onFailure } = options
  const writerChannels = Array.from({ length: shards }, () => new MessageChannel())
  const readerChannels = Array.from({ length: shards }, () => new MessageChannel())
  const searchChannels = Array.from({ length: shards }, () => new MessageChannel())
  const changes = new MessageChannel()

  const storage = (file: string, channels: readonly MessageChannel[], search?: MessagePort) =>
    startStorageThread(file, dataDir, options.durability, channels, search)
  // The writer makes the file that the others open.
  const writer = await storage('../storage/writer-thread.js', writerChannels, changes.port1)
  const reader = await storage('../storage/reader-thread.js', readerChannels).catch(endingWith(writer))
  const search = await startSearch(
    { dataDir, ports: searchChannels.map((channel) => channel.port1), writer: changes.port2 },
    options.logger,
  ).catch(endingWith(reader, writer))

  const workers = writerChannels.map((channel, index) => {
    const readerChannel = readerChannels[index] as MessageChannel
    const searchChannel = searchChannels[index] as MessageChannel
    const data: ShardThreadData = {
      options: { ...options.shard, index, shards } satisfies ShardOptions,
      files: { dataDir, maxUploadBytes: options.maxUploadBytes },
      log: { writer: channel.port2, reader: readerChannel.port2, search: searchChannel.port2 },
    }
    return new Worker(new URL('./shard-thread.js', import.meta.url), {
      workerData: data,
      transferList: [channel.port2, readerChannel.port2, searchChannel.port2],
      name: `shard-${index}`,
    })
  })
  for (const worker of [writer, reader, search.worker, ...workers]) {
    worker.on('error', (error) => onFailure(error instanceof Error ? error : new Error(String(error))))
  }
  return {
    ports: workers.map((worker) => ({
      post: (batch: Uint8Array) => worker.postMessage(batch, [batch.buffer as ArrayBuffer]),
    })),
    onBatch(take) {
      for (const [index, worker] of workers.entries()) {
        worker.on('message', (batch: Uint8Array) => take(index, batch))
      }
    },
    searchStats: () => search.stats(),
    async close() {
      await Promise.all(workers.map(end))
      await end(reader)
      await end(search.worker)
      await end(writer)
    },
  }
}

async function end(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit')
  worker.postMessage('end')
  await ended
}

/** A thread could not be started: those that were, in the order in which they end. */
function endingWith(...workers: readonly Worker[]): (error: unknown) => Promise<never> {
  return async (error) => {
    for (const worker of workers) await end(worker)
    throw error
  }
}

async function startStorageThread(
  file: string,
  dataDir: string,
  durability: Durability,
  channels: readonly MessageChannel[],
  search: MessagePort | undefined,
): Promise<Worker> {
  const ports = channels.map((channel) => channel.port1)
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: { dataDir, durability, ports, ...(search && { search }) } satisfies StorageThreadData,
    transferList: search ? [...ports, search] : ports,
    name: file.includes('writer') ? 'storage-writer' : 'storage-reader',
  })
  const [note] = (await once(worker, 'message')) as [StorageThreadNote]
  if (note.type === 'failed') throw new StorageError(note.message)
  return worker
}
