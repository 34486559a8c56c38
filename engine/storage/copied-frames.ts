/** Copied frames: how far the write-ahead log is copied to the database file. */

/** The first frames of a log, whose pages are copied and contain no deleted data. */
export interface CopiedFrames {
  /** Of the log: it restarts with another one. */
  readonly salt: string
  readonly frames: number
}
