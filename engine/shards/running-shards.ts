/**
 * Running shards: what the engine needs of its shards, wherever they run.
 */
import type { ShardPort } from '../hub.ts'
import type { Durability } from '../storage/sqlite/database.ts'
import type { ShardOptions } from './shard.ts'

export interface ShardsOptions {
  readonly dataDir: string
  readonly durability: Durability
  readonly shard: Omit<ShardOptions, 'index' | 'shards'>
  readonly now: () => number
  /** A shard or the storage has failed for good. */
  readonly onFailure: (error: Error) => void
}

export interface RunningShards {
  /** One for each shard, in order. */
  readonly ports: readonly ShardPort[]
  /** Says who takes the shards' batches; called once, before anything is posted. */
  onBatch(take: (index: number, batch: Uint8Array) => void): void
  /** Ends them after they have drained; storage last. */
  close(): Promise<void>
}
