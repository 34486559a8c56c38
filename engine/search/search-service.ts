/**
 * Search service: the index, the indexer and the queries, on the thread that creates it.
 *
 * Indexing runs in steps of a few milliseconds; queries are answered between them. After a step that
 * found little it pauses, so that a slow stream of messages causes few transactions. An index that is
 * damaged or belongs to another log is deleted and rebuilt. After any other failure it retries with
 * backoff. Failures affect only search.
 */
import type { EngineLogger } from '../base/engine-logger.ts'
import { isDamage } from '../storage/damage.ts'
import { openReader } from '../storage/sqlite/database.ts'
import { People } from '../storage/sqlite/people.ts'
import type { ReadQuery, Reads, SearchRead } from '../stored/reads.ts'
import type { ChangeNote } from './changed-groups.ts'
import { ForeignIndexError, Indexer } from './indexer.ts'
import type { IndexerStats } from './indexer-stats.ts'
import { LogFeed } from './log-feed.ts'
import { searchMessages } from './message-search.ts'
import { SearchIndex } from './search-index.ts'

/** Small, because search reads single rows from the whole log, which the system's cache serves as well. */
const READ_CACHE_KIB = 8_192
/** Time after a write until removed texts are erased from the index files. // PRV-3 */
const TIDY_MS = 10_000
const TIDY_AGAIN_MS = 500
/** How long a stop waits for the remaining messages to be indexed. */
const FINISH_MS = 500
/** Pause after a step that was not full. It is also the normal lag of the index. */
const PAUSE_MS = 50
/** Pause under load: one read of many groups costs much less than many reads. */
const BUSY_PAUSE_MS = 1_000
const BUSY_DOCUMENTS = 32
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 30_000
/** Minimum time between two rebuilds: a new index is unlikely to be the cause of a failure. */
const REBUILD_AGAIN_MS = 60_000
/** Interval of progress reports, and the number of messages from which work is reported. */
const PROGRESS_MS = 10_000
const LONG_WORK = 10_000

export class SearchService {
  readonly #dataDir: string
  readonly #logger: EngineLogger
  readonly #feed: LogFeed
  readonly #people: People
  #index: SearchIndex
  #indexer: Indexer
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null
  #tidying: NodeJS.Timeout | null = null
  #pauseMs = PAUSE_MS
  #steppedAt = Number.NEGATIVE_INFINITY
  #retryMs = FIRST_RETRY_MS
  #rebuiltAt = Number.NEGATIVE_INFINITY
  #closed = false
  #onHandled: (() => void) | null = null
  /** Number of indexed messages when the current work began, and when it was last reported. */
  #work: { readonly from: number; reportedAt: number } | null = null

  /** The log's database must exist. Starts at once to index what is missing. @throws StorageError */
  constructor(dataDir: string, logger: EngineLogger) {
    this.#dataDir = dataDir
    this.#logger = logger
    this.#index = SearchIndex.open(dataDir)
    const db = openReader(dataDir)
    db.pragma(`cache_size = -${READ_CACHE_KIB}`)
    this.#feed = new LogFeed(db)
    this.#people = new People(db)
    this.#indexer = new Indexer(this.#index, this.#feed, () => performance.now())
    this.#schedule()
  }

  /** Answers a query. */
  run<N extends SearchRead>(query: ReadQuery<N>): Reads[N]['result']
  run(query: ReadQuery<SearchRead>): Reads[SearchRead]['result'] {
    if (query.read === 'users') return this.#people.search(query)
    try {
      return searchMessages(this.#index, this.#feed, query)
    } catch (error) {
      if (isDamage(error)) this.#recover(error)
      throw error
    }
  }

  /**
   * The writer has committed entries. `handled` is called once they are indexed and asks for the next
   * note: under load, one note covers many commits.
   */
  changed(note: ChangeNote, handled: () => void): void {
    this.#onHandled = handled
    this.#guard(() => this.#indexer.changed(note))
    this.#schedule()
  }

  stats(): IndexerStats {
    return this.#indexer.stats()
  }

  /** Indexes what was committed, up to a time limit, so that the index contains no deleted text. // PRV-3 */
  finish(): void {
    const untilMs = performance.now() + FINISH_MS
    this.#guard(() => {
      this.#indexer.rescan()
      while (!this.#indexer.idle && performance.now() < untilMs) this.#indexer.step()
    })
  }

  close(): void {
    this.#closed = true
    this.#unschedule()
    if (this.#tidying) clearTimeout(this.#tidying)
    this.#index.close()
    this.#feed.close()
  }

  #schedule(delayMs = this.#steppedAt + this.#pauseMs - performance.now()): void {
    if (this.#closed || this.#timer) return
    this.#timer =
      delayMs <= 0 ? setImmediate(() => this.#step()) : setTimeout(() => this.#step(), delayMs).unref()
  }

  #unschedule(): void {
    if (!this.#timer) return
    clearTimeout(this.#timer as NodeJS.Timeout)
    clearImmediate(this.#timer as NodeJS.Immediate)
    this.#timer = null
  }

  #step(): void {
    this.#timer = null
    this.#guard(() => {
      const before = this.#indexer.indexed
      const step = this.#indexer.step()
      if (this.#indexer.indexed > before) this.#tidyLater(TIDY_MS)
      this.#pauseMs = this.#indexer.indexed - before >= BUSY_DOCUMENTS ? BUSY_PAUSE_MS : PAUSE_MS
      this.#steppedAt = performance.now()
      this.#retryMs = FIRST_RETRY_MS
      this.#reportProgress()
      if (step !== 'full') this.#requestNextNote()
      if (step === 'full') this.#schedule(0)
      else if (!this.#indexer.idle) this.#schedule()
    })
  }

  #tidyLater(delayMs: number): void {
    this.#tidying ??= setTimeout(() => {
      this.#tidying = null
      this.#guard(() => {
        if (!this.#index.tidy()) this.#tidyLater(TIDY_AGAIN_MS)
      })
    }, delayMs).unref()
  }

  #requestNextNote(): void {
    const handled = this.#onHandled
    this.#onHandled = null
    handled?.()
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#recover(error)
    }
  }

  /** Rebuilds the index if it is the cause, and retries later. */
  #recover(error: unknown): void {
    this.#requestNextNote()
    const cause = String(error)
    const now = performance.now()
    const indexIsFaulty = error instanceof ForeignIndexError || isDamage(error)
    // If a rebuilt index fails as well, the log itself cannot be read.
    if (!this.#index.open || (indexIsFaulty && now - this.#rebuiltAt > REBUILD_AGAIN_MS)) {
      this.#rebuiltAt = now
      this.#rebuild(cause)
    } else {
      this.#logger.warn({ cause, retryMs: this.#retryMs }, 'the search index failed')
      this.#indexer.rescan()
    }
    this.#unschedule()
    this.#schedule(this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }

  #rebuild(cause: string): void {
    this.#logger.warn({ cause }, 'rebuilding the search index')
    try {
      this.#index.close()
      SearchIndex.remove(this.#dataDir)
      this.#index = SearchIndex.open(this.#dataDir)
      this.#indexer = new Indexer(this.#index, this.#feed, () => performance.now())
      this.#work = null
    } catch (error) {
      // The disk is full or a permission is missing: the next attempt rebuilds first.
      this.#logger.warn({ cause: String(error), retryMs: this.#retryMs }, 'the search index failed')
    }
  }

  #reportProgress(): void {
    const now = performance.now()
    const { indexed } = this.#indexer
    if (this.#indexer.idle) {
      if (this.#work && indexed - this.#work.from >= LONG_WORK) {
        this.#logger.info({ indexed }, 'the search index is up to date')
      }
      this.#work = null
      return
    }
    this.#work ??= { from: indexed, reportedAt: now }
    if (now - this.#work.reportedAt < PROGRESS_MS || indexed - this.#work.from < LONG_WORK) return
    this.#work.reportedAt = now
    const { lag } = this.#indexer.stats()
    this.#logger.info({ indexed, lag }, 'indexing messages for search')
  }
}
