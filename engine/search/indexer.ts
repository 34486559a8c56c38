/**
 * Indexer: brings the index to where the log is, a small step at a time.
 *
 * Whoever drives it calls `step` until it says that nothing is left. It learns of news from the
 * writer, and once at its start, or when it had to let news go, by looking at all groups. News
 * come before what was found by looking, so that an old log does not hold new messages up. A step
 * that fails has changed nothing. Bound: `MAX_BEHIND` groups are remembered.
 */
import type { ChangeNote } from './changed-groups.ts'
import type { IndexerStats } from './indexer-stats.ts'
import type { GroupNews, LogFeed } from './log-feed.ts'
import type { Document, Mark, SearchIndex } from './search-index.ts'

/** What a step did: a full one is followed by the next at once. */
export type Step = 'full' | 'some' | 'nothing'

/** A group whose index is behind its log. */
interface Behind {
  readonly group: number
  readonly since: number
  mark: number
  lastSeq: number
}

/** What is written as one transaction, a step at a time. */
interface Batch {
  readonly documents: readonly Document[]
  readonly marks: readonly Mark[]
  written: number
}

/** Groups that are remembered as behind. */
const MAX_BEHIND = 100_000
/** Groups that one step looks at. */
const LOOKED_AT = 512
/** Messages of one step: some milliseconds. */
const STEP_DOCUMENTS = 256
/** A batch holds no more: FTS5 merges what batches leave, so that larger ones cost less each message. */
const BATCH_DOCUMENTS = 4_096
const BATCH_GROUPS = 1_024
const BATCH_CHARS = 4 * 1024 * 1024
/** Messages of a group that are read at once. */
const READ_AT_ONCE = 256

/** The index is not of this log: it has to be built anew. */
export class ForeignIndexError extends Error {
  override readonly name = 'ForeignIndexError'
}

export class Indexer {
  readonly #index: SearchIndex
  readonly #feed: LogFeed
  readonly #now: () => number
  /** By group id, in the order in which they are served. */
  readonly #fresh = new Map<string, Behind>()
  readonly #old = new Map<string, Behind>()
  /** Key of the group after which to look on; null when all have been looked at. */
  #lookAfter: number | null = 0
  #indexed = 0
  #mayLook = true
  /** What is being written. */
  #batch: Batch | null = null

  constructor(index: SearchIndex, feed: LogFeed, now: () => number) {
    this.#index = index
    this.#feed = feed
    this.#now = now
  }

  /** The writer has committed something. @throws ForeignIndexError */
  changed(note: ChangeNote): void {
    if (note.all) this.lookAgain()
    this.#feed.snapshot(() => this.#learn(note))
  }

  #learn(note: ChangeNote): void {
    for (const [groupId, lastSeq] of note.groups) {
      const known = this.#fresh.get(groupId) ?? this.#old.get(groupId)
      if (known) {
        known.lastSeq = Math.max(known.lastSeq, lastSeq)
        continue
      }
      const group = this.#feed.groupKey(groupId)
      if (group !== undefined) this.#remember(this.#fresh, { group, groupId, lastSeq })
    }
  }

  /** News may have been missed: looks at all groups once more. */
  lookAgain(): void {
    this.#lookAfter = 0
  }

  /** Does a little of what is to be done. @throws ForeignIndexError, or what SQLite throws */
  step(): Step {
    if (this.#mayLook && this.#lookAfter !== null && this.#old.size < MAX_BEHIND) {
      this.#look(this.#lookAfter)
      // However much is new, there is a look between two batches.
      this.#mayLook = this.#fresh.size === 0
      return 'full'
    }
    try {
      this.#mayLook = false
      this.#batch ??= this.#feed.snapshot(() => this.#gather())
      return this.#write(this.#batch)
    } catch (error) {
      this.#batch = null
      this.#mayLook = true
      this.#index.rollback()
      throw error
    }
  }

  /** Whether there is nothing to do that it knows of. */
  get idle(): boolean {
    return this.#lookAfter === null && this.#fresh.size === 0 && this.#old.size === 0
  }

  /** Messages put in or taken out since the start. */
  get indexed(): number {
    return this.#indexed
  }

  stats(): IndexerStats {
    const now = this.#now()
    let lag = 0
    let since = now
    for (const [, behind] of this.#next()) {
      lag += Math.max(0, behind.lastSeq - behind.mark)
      since = Math.min(since, behind.since)
    }
    const lagMs = Math.round(now - since)
    return { lag, lagMs, indexed: this.#indexed, documents: this.#index.documents }
  }

  /** What comes next, of as many groups as there is room for, in the order of time. */
  #gather(): Batch {
    const documents: Document[] = []
    const marks: Mark[] = []
    let chars = 0
    const full = () =>
      documents.length >= BATCH_DOCUMENTS || marks.length >= BATCH_GROUPS || chars > BATCH_CHARS
    for (const [groupId, { group, mark, lastSeq }] of this.#next()) {
      let seq = mark
      while (seq < lastSeq && !full()) {
        const changes = this.#feed.changes(group, seq, READ_AT_ONCE)
        for (const document of changes.documents) {
          documents.push(document)
          chars += document.text.length
        }
        if (changes.upTo === seq) break
        seq = changes.upTo
      }
      marks.push({ group, groupId, seq })
      if (full()) break
    }
    documents.sort((a, b) => a.createdAt - b.createdAt)
    return { documents, marks, written: 0 }
  }

  #write(batch: Batch): Step {
    const { documents, marks, written } = batch
    if (marks.length === 0) {
      this.#batch = null
      this.#mayLook = true
      return 'nothing'
    }
    batch.written = this.#index.put(documents, written, STEP_DOCUMENTS)
    if (batch.written < documents.length) return 'full'
    this.#index.commit(marks)
    this.#batch = null
    this.#mayLook = true
    this.#indexed += documents.length
    for (const mark of marks) this.#moved(mark)
    return documents.length >= STEP_DOCUMENTS || marks.length >= BATCH_GROUPS ? 'full' : 'some'
  }

  *#next(): Generator<[string, Behind]> {
    yield* this.#fresh
    yield* this.#old
  }

  /** Looks at some more groups for what has not been indexed. */
  #look(after: number): void {
    const groups = this.#feed.groupsAfter(after, LOOKED_AT)
    for (const group of groups) {
      if (!this.#fresh.has(group.groupId) && !this.#old.has(group.groupId)) this.#remember(this.#old, group)
    }
    this.#lookAfter = groups.length < LOOKED_AT ? null : (groups.at(-1) as GroupNews).group
  }

  #remember(behind: Map<string, Behind>, { group, groupId, lastSeq }: GroupNews): void {
    const mark = this.#index.mark(group)
    if (mark && (mark.groupId !== groupId || mark.seq > lastSeq)) {
      // News may be older than what was indexed meanwhile; the log itself may not.
      const newest = mark.groupId === groupId ? (this.#feed.group(groupId)?.lastSeq ?? 0) : -1
      if (mark.seq > newest) throw new ForeignIndexError(`group ${groupId} is not the one that was indexed`)
    }
    if (lastSeq <= (mark?.seq ?? 0)) return
    if (this.#fresh.size + this.#old.size >= MAX_BEHIND + LOOKED_AT) {
      // It is found again by looking, once there is room.
      this.#lookAfter = 0
      return
    }
    behind.set(groupId, { group, since: this.#now(), mark: mark?.seq ?? 0, lastSeq })
  }

  #moved({ groupId, seq }: Mark): void {
    const behind = this.#fresh.get(groupId) ?? this.#old.get(groupId)
    if (!behind) return
    this.#fresh.delete(groupId)
    this.#old.delete(groupId)
    // What is left of it waits for its turn again, if there is anything.
    if (seq < behind.lastSeq && seq > behind.mark) this.#old.set(groupId, behind)
    behind.mark = seq
  }
}
