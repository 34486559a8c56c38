/**
 * Health: what the hub reports about the engine, for readiness checks and statistics.
 */

/** Whether the engine accepts writes. */
export type Health =
  | {
      readonly ready: true
      /** What an operator should look at before it becomes a failure. */
      readonly warning?: string
    }
  | { readonly ready: false; readonly reason: string }

/** State that the hub itself tracks of a shard. */
export interface ShardSide {
  /** Records on their way to the shard. */
  readonly inbox: number
  /** Storage currently rejects its writes. */
  readonly storageFails: boolean
  /** How often that has begun since the start. */
  readonly storageFailures: number
}

/** Requests and notices that wait for the service's hooks. */
export interface HooksStats {
  /** Requests that wait for a hook. */
  readonly requests: number
  /** Notices of durable messages. */
  readonly notices: number
  /** Notices that were dropped since the start, because the hooks were too slow. */
  readonly dropped: number
}
