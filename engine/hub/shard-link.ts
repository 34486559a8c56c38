/**
 * Shard link: the hub's end of one shard, with the records that the shard has not processed yet.
 *
 * Bounded: above `MAX_INBOX` such records the hub refuses frames for the shard as `overloaded`.
 */
import { ToShard } from '../shards/hub-records.ts'
import type { ShardStats } from '../shards/shard.ts'
import { BatchWriter, type Defer } from '../threads/batch.ts'
import type { ShardSide } from './health.ts'

const MAX_INBOX = 65_536

/** A shard on any thread: it receives batches, and sends batches to the listener it was started with. */
export interface ShardPort {
  readonly post: (batch: Uint8Array) => void
}

export class ShardLink {
  readonly #writer: BatchWriter
  readonly #reports: ((stats: ShardStats) => void)[] = []
  /** Records that were pushed and that the shard has not processed yet. */
  #pending = 0
  #storageFails = false
  #storageFailures = 0
  /** The shard has committed everything and accepts nothing more. */
  drained = false

  constructor(shard: ShardPort, defer: Defer) {
    this.#writer = new BatchWriter(shard.post, defer)
  }

  get isFull(): boolean {
    return this.#pending >= MAX_INBOX
  }

  /** Whether storage rejects the writes of the shard. */
  get storageFails(): boolean {
    return this.#storageFails
  }

  set storageFails(fails: boolean) {
    if (fails && !this.#storageFails) this.#storageFailures += 1
    this.#storageFails = fails
  }

  push(kind: number, number: number, body?: Uint8Array, id?: Uint8Array): void {
    this.#pending += 1
    this.#writer.push(kind, number, id, body)
  }

  /** The shard has processed this number of records. */
  handled(records: number): void {
    this.#pending -= records
  }

  async stats(): Promise<ShardStats & ShardSide> {
    const stats = await new Promise<ShardStats>((resolve) => {
      this.#reports.push(resolve)
      this.push(ToShard.report, 0)
    })
    // Read now: with its stats the shard has reported the records that it has handled.
    return {
      ...stats,
      inbox: this.#pending,
      storageFails: this.#storageFails,
      storageFailures: this.#storageFailures,
    }
  }

  /** The shard has answered the oldest request for its stats. */
  reported(stats: ShardStats): void {
    this.#reports.shift()?.(stats)
  }
}
