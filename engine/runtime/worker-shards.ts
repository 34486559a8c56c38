/**
 * Worker shards: runs each shard and the storage on separate threads.
 *
 * The main thread starts them, storage first, and connects each shard to the writer and the reader by a
 * separate port. They end after a message, shards before storage. None is terminated from outside, because
 * a terminated thread with an open database aborts the process.
 */
import { once } from 'node:events'
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import type { ShardOptions } from '../shards/shard.ts'
import { DAMAGED } from '../storage/damage.ts'
import { machineTimers, startTimer } from '../threads/timer.ts'
import { Watchdog } from '../threads/watchdog.ts'
import type { FileThreadData } from './file-thread.ts'
import type { RunningShards, Runtime, ShardsOptions } from './running-shards.ts'
import type { ShardThreadData } from './shard-thread.ts'
import { startSearch } from './start-search.ts'
import { type StorageRole, startStorageThread } from './start-storage.ts'
import { startThread } from './start-thread.ts'
import { threadFigures } from './thread-figures.ts'
import type { StorageThreadNote } from './writer-thread.ts'

const LOOK_AGAIN_MS = 250
/**
 * Limit of the young generation of a shard. With 6, as other threads have, a fifth of a shard's time is garbage
 * collection when everybody reads (`npm run bench -- --case reading`), with 12 an eighth, with 24 the same.
 */
const SHARD_YOUNG_MIB = 12

/** Runs `shards` shards on threads of their own. */
export function workerRuntime(shards: number): Runtime {
  return {
    start: (options) => startWorkerShards(shards, options),
    defer: setImmediate,
    timers: machineTimers,
  }
}

/** Starts `shards` shard threads and the threads of storage and search. @throws StorageError */
async function startWorkerShards(shards: number, options: ShardsOptions): Promise<RunningShards> {
  const { dataDir, onFailure } = options
  const writerChannels = Array.from({ length: shards }, () => new MessageChannel())
  const readerChannels = Array.from({ length: shards }, () => new MessageChannel())
  const searchChannels = Array.from({ length: shards }, () => new MessageChannel())
  const fileChannels = Array.from({ length: shards }, () => new MessageChannel())
  const changes = new MessageChannel()
  const copies = new MessageChannel()
  const watchdog = new Watchdog()
  let ending = false

  const storage = (
    role: StorageRole,
    channels: readonly MessageChannel[],
    others?: { readonly search: MessagePort; readonly copier: MessagePort },
  ) =>
    startStorageThread(role, options.logger, {
      dataDir,
      durability: options.durability,
      ports: channels.map((channel) => channel.port1),
      watch: watchdog.watch(`storage-${role}`),
      ...others,
    })
  // The writer makes the file that the others open.
  const writer = await storage('writer', writerChannels, {
    search: changes.port1,
    copier: copies.port2,
  }).catch(endingWith(watchdog))
  const copier = await storage('copier', [copies]).catch(endingWith(watchdog, writer))
  const reader = await storage('reader', readerChannels).catch(endingWith(watchdog, copier, writer))
  const search = await startSearch(
    {
      dataDir,
      ports: searchChannels.map((channel) => channel.port1),
      writer: changes.port2,
      watch: watchdog.watch('search'),
    },
    options.logger,
  ).catch(endingWith(watchdog, reader, copier, writer))

  const filePorts = fileChannels.map((channel) => channel.port1)
  const fileWatch = watchdog.watch('files')
  const files = startThread(new URL('./file-thread.js', import.meta.url), {
    workerData: {
      store: options.files,
      ports: filePorts,
      watch: fileWatch,
    } satisfies FileThreadData,
    transferList: [...filePorts, fileWatch],
    name: 'files',
  })

  const workers = writerChannels.map((channel, index) => {
    const filePort = (fileChannels[index] as MessageChannel).port2
    const readerChannel = readerChannels[index] as MessageChannel
    const searchChannel = searchChannels[index] as MessageChannel
    const name = `shard-${index}`
    const watch = watchdog.watch(name)
    const data: ShardThreadData = {
      options: { ...options.shard, index, shards } satisfies ShardOptions,
      postNotices: options.postNotices,
      files: filePort,
      log: { writer: channel.port2, reader: readerChannel.port2, search: searchChannel.port2 },
      watch,
    }
    return startThread(
      new URL('./shard-thread.js', import.meta.url),
      {
        workerData: data,
        transferList: [channel.port2, readerChannel.port2, searchChannel.port2, filePort, watch],
        name,
      },
      SHARD_YOUNG_MIB,
    )
  })
  const threads = [
    ['storage-writer', writer],
    ['storage-reader', reader],
    ['storage-copier', copier],
    ['search', search.worker],
    ['files', files],
    ...workers.map((worker, index) => [`shard-${index}`, worker] as const),
  ] as const
  for (const [name, worker] of threads) {
    let failed = false
    worker.on('error', (error) => {
      failed = true
      onFailure(error instanceof Error ? error : new Error(String(error)))
    })
    // A thread that ends by itself leaves the engine as useless as one that throws.
    worker.on('exit', (code) => {
      if (!ending && !failed) onFailure(new Error(`the thread ${name} ended by itself (exit code ${code})`))
    })
  }
  let damaged = false
  reader.on('message', (note: StorageThreadNote) => {
    if (note.type !== 'damaged' || damaged) return
    damaged = true
    options.logger.error({ cause: note.cause }, DAMAGED)
  })
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
    threads: threadFigures(threads, (name) => watchdog.answerMs(name)),
    get damaged() {
      return damaged
    },
    get silent() {
      return watchdog.silent
    },
    async close(withinMs) {
      ending = true
      const deadline = endingBy(withinMs, watchdog)
      try {
        await Promise.all(workers.map((worker) => deadline.end(worker)))
        await deadline.end(files)
        await deadline.end(reader)
        await deadline.end(search.worker)
        // Before the writer, which then copies what is left.
        await deadline.end(copier)
        await deadline.end(writer)
      } finally {
        deadline.cancel()
        watchdog.close()
      }
    },
  }
}

async function end(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit')
  worker.postMessage('end')
  await ended
}

/**
 * Ends threads one after the other. After that time one that does not answer is given up; one that
 * is only slow, on a busy machine, is waited for.
 */
function endingBy(withinMs: number, watchdog: Watchdog) {
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    const look = () => {
      const { silent } = watchdog
      if (silent === null) cancel = startTimer(LOOK_AGAIN_MS, look)
      else reject(new Error(`the thread ${silent} does not answer`))
    }
    cancel = startTimer(withinMs, look)
  })
  // Awaited only where it matters.
  late.catch(() => {})
  return {
    cancel: () => cancel(),
    end: (worker: Worker) =>
      Promise.race([end(worker), late]).catch((error: unknown) => {
        // Its work can no longer keep the process.
        worker.unref()
        throw error
      }),
  }
}

/** A thread could not be started: those that were, in the order in which they end. */
function endingWith(watchdog: Watchdog, ...workers: readonly Worker[]): (error: unknown) => Promise<never> {
  return async (error) => {
    watchdog.close()
    for (const worker of workers) await end(worker)
    throw error
  }
}
