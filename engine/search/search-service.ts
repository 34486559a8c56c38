/**
 * Search service: the index, what fills it and what asks it, on whichever thread it was made.
 *
 * Indexing goes in steps of some milliseconds, between which queries are answered. After a step
 * that found little it pauses, so that a trickle of messages makes few transactions. An index that
 * turns out to be damaged or of another log is thrown away and built anew; any other failure is
 * tried again with backoff, and nobody but search is hurt.
 */
import type { EngineLogger } from '../engine-logger.ts'
import { isDamage } from '../storage/damage.ts'
import type { ReadQuery, Reads, SearchRead } from '../storage/log.ts'
import { openReader } from '../storage/sqlite/database.ts'
import { People } from '../storage/sqlite/people.ts'
import type { ChangeNote } from './changed-groups.ts'
import { ForeignIndexError, Indexer } from './indexer.ts'
import type { IndexerStats } from './indexer-stats.ts'
import { LogFeed } from './log-feed.ts'
import { searchMessages } from './message-search.ts'
import { SearchIndex } from './search-index.ts'

/** It reads single rows all over the log: the system's own cache does as well. */
const READ_CACHE_KIB = 8_192
/** So long after it was written to, the index is rid of what was taken out. // PRV-3 */
const TIDY_MS = 10_000
const TIDY_AGAIN_MS = 500
/** A stop waits so long for what is still to be indexed. */
const FINISH_MS = 500
/** After a step that was not full; also how far the index is behind, when all is well. */
const PAUSE_MS = 50
/** The same while much is written: one look at many groups costs far less than many looks. */
const BUSY_PAUSE_MS = 1_000
const BUSY_DOCUMENTS = 32
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 30_000
/** An index that was just built anew is not to blame. */
const REBUILD_AGAIN_MS = 60_000
/** How often long work is spoken of, and what counts as long. */
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
  #taken: (() => void) | null = null
  /** Messages indexed before the work at hand began, and when it was last spoken of. */
  #work: { readonly from: number; toldAt: number } | null = null

  /** The log's database must be there. Starts at once with what is behind. @throws StorageError */
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
      if (isDamage(error)) this.#failed(error)
      throw error
    }
  }

  /**
   * The writer has committed something. `taken` asks for what has been committed since, and is called
   * once this is indexed: so under load many commits are one note.
   */
  changed(note: ChangeNote, taken: () => void): void {
    this.#taken = taken
    this.#attempt(() => this.#indexer.changed(note))
    this.#schedule()
  }

  stats(): IndexerStats {
    return this.#indexer.stats()
  }

  /** Indexes what was committed, as far as a moment goes: what was deleted is not left in the index. // PRV-3 */
  finish(): void {
    const untilMs = performance.now() + FINISH_MS
    this.#attempt(() => {
      this.#indexer.lookAgain()
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
    this.#attempt(() => {
      const before = this.#indexer.indexed
      const step = this.#indexer.step()
      if (this.#indexer.indexed > before) this.#tidyLater(TIDY_MS)
      this.#pauseMs = this.#indexer.indexed - before >= BUSY_DOCUMENTS ? BUSY_PAUSE_MS : PAUSE_MS
      this.#steppedAt = performance.now()
      this.#retryMs = FIRST_RETRY_MS
      this.#tellProgress()
      if (step !== 'full') this.#askForMore()
      if (step === 'full') this.#schedule(0)
      else if (!this.#indexer.idle) this.#schedule()
    })
  }

  #tidyLater(delayMs: number): void {
    this.#tidying ??= setTimeout(() => {
      this.#tidying = null
      this.#attempt(() => {
        if (!this.#index.tidy()) this.#tidyLater(TIDY_AGAIN_MS)
      })
    }, delayMs).unref()
  }

  #askForMore(): void {
    const taken = this.#taken
    this.#taken = null
    taken?.()
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Mends the index where it is to blame, and tries again later. */
  #failed(error: unknown): void {
    this.#askForMore()
    const cause = String(error)
    const now = performance.now()
    const isToBlame = error instanceof ForeignIndexError || isDamage(error)
    // Where a new index does not help, the log itself is what cannot be read.
    if (!this.#index.open || (isToBlame && now - this.#rebuiltAt > REBUILD_AGAIN_MS)) {
      this.#rebuiltAt = now
      this.#rebuild(cause)
    } else {
      this.#logger.warn({ cause, retryMs: this.#retryMs }, 'the search index failed')
      this.#indexer.lookAgain()
    }
    this.#unschedule()
    this.#schedule(this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }

  #rebuild(cause: string): void {
    this.#logger.warn({ cause }, 'the search index is thrown away and built anew')
    try {
      this.#index.close()
      SearchIndex.remove(this.#dataDir)
      this.#index = SearchIndex.open(this.#dataDir)
      this.#indexer = new Indexer(this.#index, this.#feed, () => performance.now())
      this.#work = null
    } catch (error) {
      // No room, or no permission: the next try begins with it.
      this.#logger.warn({ cause: String(error), retryMs: this.#retryMs }, 'the search index failed')
    }
  }

  #tellProgress(): void {
    const now = performance.now()
    const { indexed } = this.#indexer
    if (this.#indexer.idle) {
      if (this.#work && indexed - this.#work.from >= LONG_WORK) {
        this.#logger.info({ indexed }, 'the search index is up to date')
      }
      this.#work = null
      return
    }
    this.#work ??= { from: indexed, toldAt: now }
    if (now - this.#work.toldAt < PROGRESS_MS || indexed - this.#work.from < LONG_WORK) return
    this.#work.toldAt = now
    const { lag } = this.#indexer.stats()
    this.#logger.info({ indexed, lag }, 'indexing messages for search')
  }
}
