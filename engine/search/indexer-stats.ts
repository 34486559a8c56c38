/**
 * Indexer stats: the lag of the search index. It is a separate file, so that the public
 * types do not depend on those of the database.
 */
/** State of the index. */
export interface IndexerStats {
  /** Entries of the log that are committed and not yet indexed. */
  readonly lag: number
  /** How long the oldest of them has waited, milliseconds. */
  readonly lagMs: number
  /** Messages added to or removed from the index since the start. */
  readonly indexed: number
  /** Messages in the index. */
  readonly documents: number
}
