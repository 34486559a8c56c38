/**
 * Running shards: what the engine needs of its shards, wherever they run.
 */
import type { Clock } from '../base/clock.ts'
import type { EngineLogger } from '../base/engine-logger.ts'
import type { FileStoreOptions } from '../files/file-store.ts'
import type { PostNotices } from '../hooks/post-reports.ts'
import type { ShardPort } from '../hub/shard-link.ts'
import type { Durability } from '../log/durability.ts'
import type { IndexerStats } from '../search/indexer-stats.ts'
import type { ShardOptions } from '../shards/shard.ts'
import type { Defer } from '../threads/batch.ts'
import type { Timers } from '../threads/timer.ts'
import type { ThreadFigures } from './thread-figures.ts'

export interface ShardsOptions {
  readonly dataDir: string
  readonly durability: Durability
  readonly files: Omit<FileStoreOptions, 'clock'>
  readonly shard: Omit<ShardOptions, 'index' | 'shards'>
  /** Undefined if no hook needs posts. */
  readonly postNotices: PostNotices | undefined
  /** For shards on the calling thread; shards in workers use the clock of the machine. */
  readonly clock: Clock
  readonly logger: EngineLogger
  /** A shard or the storage has failed permanently. */
  readonly onFailure: (error: Error) => void
}

export interface RunningShards {
  /** One for each shard, in order. */
  readonly ports: readonly ShardPort[]
  /** Sets the receiver of the shards' batches; called once, before anything is posted. */
  onBatch(take: (index: number, batch: Uint8Array) => void): void
  /** How far the search index lags the log. */
  searchStats(): Promise<IndexerStats>
  /** The threads besides the calling one. */
  threads(): readonly ThreadFigures[]
  /** The name of a thread that has stopped answering, or null. */
  readonly silent: string | null
  /** Whether a part of the database could not be read because it is damaged. */
  readonly damaged: boolean
  /**
   * Ends the threads after the shards have drained; storage last. Rejects if a thread does not answer
   * within that time; that thread is abandoned.
   */
  close(withinMs: number): Promise<void>
}

/** On which threads an engine runs its shards. */
export interface Runtime {
  start(options: ShardsOptions): RunningShards | Promise<RunningShards>
  /** Calls back at the end of the calling thread's turn. */
  readonly defer: Defer
  /** The timers of the hub and of hooks; shards on the calling thread use the same. */
  readonly timers: Timers
}
