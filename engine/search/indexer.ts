/**
 * Indexer: updates the index from the log in small steps.
 *
 * The caller calls `step` until it returns `nothing`. The indexer learns of new entries from the
 * writer's notes. It also scans all groups: at the start, and after notes were missed. Groups from
 * notes are indexed before groups from a scan, so that an old log does not delay new messages. A
 * failed step changes nothing. At most `MAX_LAGGING_GROUPS` groups are remembered.
 */
import type { ChangeNote } from './changed-groups.ts'
import type { Mark } from './index-tables.ts'
import type { IndexerStats } from './indexer-stats.ts'
import type { GroupHead, LogFeed } from './log-feed.ts'
import type { Document, SearchIndex } from './search-index.ts'

/** Result of a step. After `full`, the caller starts the next step at once. */
export type Step = 'full' | 'some' | 'nothing'

/** A group whose index lags behind its log. */
interface LaggingGroup {
  readonly group: number
  readonly since: number
  mark: number
  lastSeq: number
}

/** Changes that are written as one transaction, over several steps. */
interface Batch {
  readonly documents: readonly Document[]
  readonly marks: readonly Mark[]
  written: number
}

/** Limit of remembered groups whose index lags. */
const MAX_LAGGING_GROUPS = 100_000
/** Groups that one step scans. */
const SCANNED_GROUPS = 512
/** Messages that one step writes; takes a few milliseconds. */
const STEP_DOCUMENTS = 256
/** Limits of a batch. Larger batches cost less per message, because FTS5 has fewer segments to merge. */
const BATCH_DOCUMENTS = 4_096
const BATCH_GROUPS = 1_024
const BATCH_CHARS = 4 * 1024 * 1024
/** Messages of a group that one read returns. */
const READ_AT_ONCE = 256

/** The index was built from another log and must be rebuilt. */
export class ForeignIndexError extends Error {
  override readonly name = 'ForeignIndexError'
}

export class Indexer {
  readonly #index: SearchIndex
  readonly #feed: LogFeed
  readonly #now: () => number
  /** By group id, in the order in which they are indexed: from notes (`fresh`), from scans (`old`). */
  readonly #fresh = new Map<string, LaggingGroup>()
  readonly #old = new Map<string, LaggingGroup>()
  /** The scan continues after the group with this key; null if it is complete. */
  #scanAfter: number | null = 0
  #indexed = 0
  #mayScan = true
  /** The batch that is being written. */
  #batch: Batch | null = null

  constructor(index: SearchIndex, feed: LogFeed, now: () => number) {
    this.#index = index
    this.#feed = feed
    this.#now = now
  }

  /** The writer has committed entries. @throws ForeignIndexError */
  changed(note: ChangeNote): void {
    if (note.all) this.rescan()
    this.#feed.snapshot(() => this.#applyNote(note))
  }

  #applyNote(note: ChangeNote): void {
    for (const [groupId, lastSeq] of note.groups) {
      const known = this.#fresh.get(groupId) ?? this.#old.get(groupId)
      if (known) {
        known.lastSeq = Math.max(known.lastSeq, lastSeq)
        continue
      }
      const group = this.#feed.groupKey(groupId)
      if (group !== undefined) this.#addLagging(this.#fresh, { group, groupId, lastSeq })
    }
  }

  /** Notes may have been missed: scans all groups again. */
  rescan(): void {
    this.#scanAfter = 0
  }

  /** Does a small part of the outstanding work. @throws ForeignIndexError, or an SQLite error */
  step(): Step {
    if (this.#mayScan && this.#scanAfter !== null && this.#old.size < MAX_LAGGING_GROUPS) {
      this.#scan(this.#scanAfter)
      // There is one scan step between two batches, even if new messages arrive all the time.
      this.#mayScan = this.#fresh.size === 0
      return 'full'
    }
    try {
      this.#mayScan = false
      this.#batch ??= this.#feed.snapshot(() => this.#collect())
      return this.#write(this.#batch)
    } catch (error) {
      this.#batch = null
      this.#mayScan = true
      this.#index.rollback()
      throw error
    }
  }

  /** Whether all known work is done. */
  get idle(): boolean {
    return this.#scanAfter === null && this.#fresh.size === 0 && this.#old.size === 0
  }

  /** Messages added to or removed from the index since the start. */
  get indexed(): number {
    return this.#indexed
  }

  stats(): IndexerStats {
    const now = this.#now()
    let lag = 0
    let since = now
    for (const [, lagging] of this.#next()) {
      lag += Math.max(0, lagging.lastSeq - lagging.mark)
      since = Math.min(since, lagging.since)
    }
    const lagMs = Math.round(now - since)
    return { lag, lagMs, indexed: this.#indexed, documents: this.#index.documents }
  }

  /** Collects the next changes of as many groups as the limits allow, ordered by time. */
  #collect(): Batch {
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
      this.#mayScan = true
      return 'nothing'
    }
    batch.written = this.#index.put(documents, written, STEP_DOCUMENTS)
    if (batch.written < documents.length) return 'full'
    this.#index.commit(marks)
    this.#batch = null
    this.#mayScan = true
    this.#indexed += documents.length
    for (const mark of marks) this.#advance(mark)
    return documents.length >= STEP_DOCUMENTS || marks.length >= BATCH_GROUPS ? 'full' : 'some'
  }

  *#next(): Generator<[string, LaggingGroup]> {
    yield* this.#fresh
    yield* this.#old
  }

  /** Scans some more groups for messages that are not indexed yet. */
  #scan(after: number): void {
    const groups = this.#feed.groupsAfter(after, SCANNED_GROUPS)
    for (const group of groups) {
      if (!this.#fresh.has(group.groupId) && !this.#old.has(group.groupId)) this.#addLagging(this.#old, group)
    }
    this.#scanAfter = groups.length < SCANNED_GROUPS ? null : (groups.at(-1) as GroupHead).group
  }

  #addLagging(lagging: Map<string, LaggingGroup>, { group, groupId, lastSeq }: GroupHead): void {
    const mark = this.#index.mark(group)
    if (mark && (mark.groupId !== groupId || mark.seq > lastSeq)) {
      // A note may be older than the index. The log itself must not be.
      const newest = mark.groupId === groupId ? (this.#feed.group(groupId)?.lastSeq ?? 0) : -1
      if (mark.seq > newest) throw new ForeignIndexError(`group ${groupId} is not the one that was indexed`)
    }
    if (lastSeq <= (mark?.seq ?? 0)) return
    if (this.#fresh.size + this.#old.size >= MAX_LAGGING_GROUPS + SCANNED_GROUPS) {
      // A later scan finds it again, once there is room.
      this.#scanAfter = 0
      return
    }
    lagging.set(groupId, { group, since: this.#now(), mark: mark?.seq ?? 0, lastSeq })
  }

  #advance({ groupId, seq }: Mark): void {
    const lagging = this.#fresh.get(groupId) ?? this.#old.get(groupId)
    if (!lagging) return
    this.#fresh.delete(groupId)
    this.#old.delete(groupId)
    // The rest of the group, if any, waits for its next turn.
    if (seq < lagging.lastSeq && seq > lagging.mark) this.#old.set(groupId, lagging)
    lagging.mark = seq
  }
}
