/**
 * Inline shards: one shard and its storage on the calling thread, for tests and small embeddings.
 * The very same actors, batches and SQL; a turn ends with the microtasks.
 */
import { FileStore } from '../files/file-store.ts'
import { newId } from '../new-id.ts'
import { openInlineStorage } from '../storage/inline-log.ts'
import { Outbox } from './batch.ts'
import type { RunningShards, ShardsOptions } from './running-shards.ts'
import { Shard } from './shard.ts'
import { startTimer } from './timer.ts'

const SWEEP_MS = 10_000

/** Starts the one shard. @throws StorageError */
export function startInlineShards({
  dataDir,
  durability,
  files: fileOptions,
  shard: options,
  clock,
  logger,
}: ShardsOptions): RunningShards {
  let take: (index: number, batch: Uint8Array) => void = () => {}
  const storage = openInlineStorage(dataDir, durability, queueMicrotask, clock.now, logger)
  const files = new FileStore({ ...fileOptions, clock })
  const shard = new Shard(
    { ...options, index: 0, shards: 1 },
    {
      ...clock,
      newId: () => newId(clock.now()),
      after: startTimer,
      toHub: new Outbox((batch) => take(0, batch), queueMicrotask),
      openLog: (listener) => storage.log(listener),
      files,
    },
  )
  const sweep = setInterval(() => {
    shard.sweep()
    files.sweep()
  }, SWEEP_MS).unref()
  return {
    ports: [{ post: (batch) => shard.receive(batch) }],
    onBatch(taker) {
      take = taker
    },
    searchStats: async () => storage.searchStats(),
    // There is no other thread.
    silent: null,
    get damaged() {
      return storage.damaged()
    },
    async close() {
      clearInterval(sweep)
      shard.close()
      await files.close()
      await storage.close()
    },
  }
}
