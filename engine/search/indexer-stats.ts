/**
 * Indexer stats: how far the search index is behind the log. A file of its own, so that the public
 * types do not depend on those of the database.
 */
/** Where the index stands. */
export interface IndexerStats {
  /** Entries of the log that are committed and not yet indexed. */
  readonly lag: number
  /** How long the first of them has waited, milliseconds. */
  readonly lagMs: number
  /** Messages put into or taken out of the index since the start. */
  readonly indexed: number
  /** Messages that can be found. */
  readonly documents: number
}
