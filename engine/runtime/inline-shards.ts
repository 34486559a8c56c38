/**
 * Inline shards: shards and their storage on the calling thread, for tests and small embeddings. An
 * embedding has one shard; tests run several, because each shard owns different groups and users.
 * Actors, batches and SQL are the same as on threads; a turn ends with the microtasks.
 */

import { newId } from '../base/new-id.ts'
import { lanesOf } from '../base/partition.ts'
import { FileStore } from '../files/file-store.ts'
import { postReports } from '../hooks/post-reports.ts'
import { Shard } from '../shards/shard.ts'
import { BatchWriter } from '../threads/batch.ts'
import { machineTimers, type Timers } from '../threads/timer.ts'
import { openInlineStorage } from './inline-storage.ts'
import type { RunningShards, Runtime, ShardsOptions } from './running-shards.ts'

const SWEEP_MS = 10_000

/** Runs `shards` shards on the calling thread; tests pass timers of their own. */
export function inlineRuntime(shards = 1, timers = machineTimers): Runtime {
  return { start: (options) => startInlineShards(shards, options, timers), defer: queueMicrotask, timers }
}

function startInlineShards(count: number, given: ShardsOptions, timers: Timers): RunningShards {
  const { dataDir, durability, files: fileOptions, shard: options, postNotices, clock, logger } = given
  let take: (index: number, batch: Uint8Array) => void = () => {}
  const storage = openInlineStorage(dataDir, durability, clock.now, logger)
  const files = new FileStore({ ...fileOptions, clock })
  const shards = Array.from(
    { length: count },
    (_, index) =>
      new Shard(
        { ...options, index, shards: count },
        {
          ...clock,
          newId: () => newId(clock.now()),
          after: timers.after,
          toHub: new BatchWriter((batch) => take(index, batch), queueMicrotask),
          defer: queueMicrotask,
          openLog: (listener) => storage.log(lanesOf(index, count), listener),
          views: storage.views,
          search: storage.search,
          files,
          watchPosts: postReports(postNotices),
        },
      ),
  )
  const endSweep = timers.every(SWEEP_MS, () => {
    for (const shard of shards) shard.sweep()
    files.sweep()
  })
  return {
    ports: shards.map((shard) => ({ post: (batch: Uint8Array) => shard.receive(batch) })),
    onBatch(taker) {
      take = taker
    },
    searchStats: async () => storage.searchStats(),
    // There is no other thread.
    threads: () => [],
    silent: null,
    get damaged() {
      return storage.damaged()
    },
    async close() {
      endSweep()
      for (const shard of shards) shard.close()
      await files.close()
      await storage.close()
    },
  }
}
