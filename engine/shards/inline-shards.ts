/**
 * Inline shards: shards and their storage on the calling thread, for tests and small embeddings. One
 * shard is enough there; tests run several, because shards differ in what they own.
 * The very same actors, batches and SQL; a turn ends with the microtasks.
 */
import { FileStore } from '../files/file-store.ts'
import { newId } from '../new-id.ts'
import { openInlineStorage } from '../storage/inline-log.ts'
import { Outbox } from './batch.ts'
import type { RunningShards, Runtime, ShardsOptions } from './running-shards.ts'
import { Shard } from './shard.ts'
import { type StartTimer, startTimer } from './timer.ts'

const SWEEP_MS = 10_000

/** Runs `shards` shards on the calling thread. */
export function inlineRuntime(shards = 1, after: StartTimer = startTimer): Runtime {
  return { start: (options) => startInlineShards(shards, after, options), defer: queueMicrotask, after }
}

function startInlineShards(count: number, after: StartTimer, given: ShardsOptions): RunningShards {
  const { dataDir, durability, files: fileOptions, shard: options, clock, logger } = given
  let take: (index: number, batch: Uint8Array) => void = () => {}
  const storage = openInlineStorage(dataDir, durability, queueMicrotask, clock.now, logger)
  const files = new FileStore({ ...fileOptions, clock })
  const shards = Array.from(
    { length: count },
    (_, index) =>
      new Shard(
        { ...options, index, shards: count },
        {
          ...clock,
          newId: () => newId(clock.now()),
          after,
          toHub: new Outbox((batch) => take(index, batch), queueMicrotask),
          openLog: (listener) => storage.log(listener),
          files,
        },
      ),
  )
  const sweep = setInterval(() => {
    for (const shard of shards) shard.sweep()
    files.sweep()
  }, SWEEP_MS).unref()
  return {
    ports: shards.map((shard) => ({ post: (batch: Uint8Array) => shard.receive(batch) })),
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
      for (const shard of shards) shard.close()
      await files.close()
      await storage.close()
    },
  }
}
