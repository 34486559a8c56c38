/**
 * Write loop: commits queued entries, one transaction after another.
 *
 * While one transaction runs, entries of all shards are queued, and the next transaction commits all of
 * them (about `MAX_ENTRIES` at most, in whole turns of a shard, so that what one handler wrote is stored
 * or lost together). A failed commit loses nothing: the shards are notified, the entries stay queued, and
 * the commit is retried with backoff until it succeeds (DUR-1). An entry that can never be applied fails
 * only its owner: its shard is notified, and the rest is committed (`fences.ts`). The shards bound the
 * queue: each stops accepting writes when too much of its own is uncommitted.
 */
import { statSync } from 'node:fs'
import type { LaneBatch, LaneOffset } from '../log/log.ts'
import { ownerOf } from '../stored/entry-owner.ts'
import type { LogEntry } from '../stored/log-entry.ts'
import type { CopiedFrames } from './copied-frames.ts'
import { EntryError } from './entry-error.ts'
import { admit, type Fences, type Refusal, type Turn } from './fences.ts'

/** Entries of one transaction, plus at most one turn: at most some tens of milliseconds. */
const MAX_ENTRIES = 4_096
/** Above this size the WAL is copied to the file, beside the commits where another thread can do it. */
const MAX_WAL_BYTES = 16 * 1024 * 1024
/** Above this size commits wait until the other thread has copied it. */
const MAX_WAL_BYTES_WHILE_COPYING = 8 * MAX_WAL_BYTES
/** Interval at which commits that wait for it look. */
const COPYING_MS = 5
/** Maximum time from a commit until the WAL is emptied: no file may contain deleted content longer. // PRV-3 */
const MAX_WAL_AGE_MS = 20_000
/** Interval of retries while a reader still needs the WAL. */
const CHECKPOINT_AGAIN_MS = 500
/** After this time without commits the counters are updated and the WAL is emptied. */
const IDLE_MS = 1_000
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 2_000

/** The writer that the loop calls: `sqlite/writer.ts`. */
export interface Committer {
  /** Commits all entries or none. @throws EntryError if one of them can never be applied */
  commit(entries: readonly LogEntry[]): void
  /** Updates the counters that lag behind the commits. */
  settle(): void
  /** Copies the WAL, of which another thread has copied `copied`. Returns false if it must be retried. */
  checkpoint(copied?: CopiedFrames): boolean
}

/** A shard, as notified by the loop. */
export interface WriteSource {
  readonly lanes: readonly number[]
  committed(reached: readonly LaneOffset[]): void
  /** All its lanes: they have one writer. */
  failing(reason: string): void
  refused(lane: number, owner: string, from: number, reason: string): void
}

export class WriteLoop {
  readonly #committer: Committer
  readonly #walPath: string
  readonly #requestCopy: (() => void) | undefined
  #isCopying = false
  readonly #onCommitted: (entries: readonly LogEntry[]) => void
  readonly #sources: WriteSource[] = []
  /** By lane. */
  readonly #offsets = new Map<WriteSource, number[]>()
  #queue: Turn<WriteSource>[] = []
  #fences: Fences<WriteSource> = new Map()
  #scheduled: NodeJS.Immediate | null = null
  #retry: NodeJS.Timeout | null = null
  #retryMs = FIRST_RETRY_MS
  #failing = false
  #idle: NodeJS.Timeout | null = null
  /** Empties the WAL at the latest. */
  #due: NodeJS.Timeout | null = null

  /**
   * `onCommitted` is called for every transaction, after the shards are notified. With `requestCopy` another
   * thread copies a large WAL; its answer to each call is handed to `copied`.
   */
  constructor(
    committer: Committer,
    walPath: string,
    onCommitted: (entries: readonly LogEntry[]) => void = () => {},
    requestCopy?: () => void,
  ) {
    this.#committer = committer
    this.#walPath = walPath
    this.#onCommitted = onCommitted
    this.#requestCopy = requestCopy
  }

  /** Whether the last commit failed: entries wait until one succeeds. */
  get isFailing(): boolean {
    return this.#failing
  }

  /** Adds a shard; the offsets of its lanes start at 0. */
  addSource(source: WriteSource): void {
    this.#sources.push(source)
    this.#offsets.set(source, [])
  }

  /** Queues what a shard appended to a lane in one turn. */
  push(source: WriteSource, { lane, entries }: LaneBatch): void {
    this.#queue.push({ source, lane, entries })
    if (!this.#scheduled && !this.#retry) this.#scheduled = setImmediate(this.#run)
  }

  /** Something else was written to the database: the WAL must be emptied in time. */
  wrote(): void {
    this.#due ??= setTimeout(() => this.#checkpoint(), MAX_WAL_AGE_MS).unref()
  }

  /** The other thread has copied this part of the WAL, or nothing. The rest is little, and is copied at once. */
  copied(frames: CopiedFrames | null): void {
    this.#isCopying = false
    this.#checkpoint(frames ?? undefined)
  }

  /** Commits what is queued, if possible, and stops. The other thread no longer copies. @throws the error of the last commit. */
  close(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled)
    if (this.#retry) clearTimeout(this.#retry)
    if (this.#idle) clearTimeout(this.#idle)
    if (this.#due) clearTimeout(this.#due)
    while (this.#queue.length > 0) this.#commitSome()
    this.#settle()
  }

  readonly #run = (): void => {
    this.#scheduled = null
    this.#retry = null
    if (this.#isCopying && this.#walBytes() > MAX_WAL_BYTES_WHILE_COPYING) {
      this.#retry = setTimeout(this.#run, COPYING_MS)
      return
    }
    try {
      this.#commitSome()
      this.#retryMs = FIRST_RETRY_MS
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#failing = true
      for (const source of this.#sources) source.failing(reason)
      this.#retry = setTimeout(this.#run, this.#retryMs)
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
      return
    }
    if (this.#queue.length > 0) this.#scheduled = setImmediate(this.#run)
    this.wrote()
    if (this.#walBytes() > MAX_WAL_BYTES) this.#shortenWal()
    this.#idle ??= setTimeout(() => {
      this.#idle = null
      if (this.#queue.length > 0) return
      this.#settle()
      if (this.#walBytes() > 0) this.#checkpoint()
    }, IDLE_MS).unref()
    this.#idle.refresh()
  }

  #commitSome(): void {
    let count = 0
    let turns = 0
    while (turns < this.#queue.length && count < MAX_ENTRIES) {
      count += (this.#queue[turns] as Turn<WriteSource>).entries.length
      turns += 1
    }
    const batch = this.#queue.slice(0, turns)
    const refusals: Refusal<WriteSource>[] = []
    const entries = this.#commit(batch, refusals)
    this.#queue = this.#queue.slice(turns)
    const reached = new Map<WriteSource, Set<number>>()
    for (const turn of batch) {
      const { source, lane } = turn
      const offsets = this.#offsets.get(source) as number[]
      const offset = offsets[lane] ?? 0
      for (const refusal of refusals) if (refusal.turn === turn) refuse(refusal, offset)
      offsets[lane] = offset + turn.entries.length
      const lanes = reached.get(source)
      if (lanes) lanes.add(lane)
      else reached.set(source, new Set([lane]))
    }
    // After a failure all lanes are notified, including those without new entries.
    for (const source of this.#failing ? this.#sources : reached.keys()) {
      const lanes = this.#failing ? source.lanes : [...(reached.get(source) ?? [])]
      const offsets = this.#offsets.get(source) as number[]
      const committed: LaneOffset[] = []
      for (const lane of lanes) committed.push([lane, offsets[lane] ?? 0])
      source.committed(committed)
    }
    this.#failing = false
    this.#onCommitted(entries)
  }

  /** Commits the entries that can be applied, and adds the others to `refusals`. @throws if the storage fails */
  #commit(turns: readonly Turn<WriteSource>[], refusals: Refusal<WriteSource>[]): readonly LogEntry[] {
    for (;;) {
      const { entries, fences } = admit(turns, refusals, this.#fences)
      try {
        this.#committer.commit(entries)
        this.#fences = fences
        return entries
      } catch (error) {
        if (!(error instanceof EntryError)) throw error
        const { entry, message } = error
        const turn = turns.find((one) => one.entries.includes(entry))
        if (!turn) throw error
        refusals.push({ turn, owner: ownerOf(entry), reason: message })
      }
    }
  }

  #settle(): void {
    try {
      this.#committer.settle()
    } catch {
      // The disk is full: nothing depends on this, and it is retried when the loop is idle again.
    }
  }

  #shortenWal(): void {
    if (!this.#requestCopy) return this.#checkpoint()
    if (this.#isCopying) return
    this.#isCopying = true
    this.#requestCopy()
  }

  #checkpoint(copied?: CopiedFrames): void {
    if (this.#due) clearTimeout(this.#due)
    this.#due = null
    // Two must not copy at the same time; when the other thread has, this is called again.
    if (this.#isCopying || this.#emptyWal(copied)) return
    this.#due = setTimeout(() => this.#checkpoint(), CHECKPOINT_AGAIN_MS).unref()
  }

  #emptyWal(copied?: CopiedFrames): boolean {
    try {
      return this.#committer.checkpoint(copied)
    } catch {
      // The disk is full: the WAL still contains everything.
      return false
    }
  }

  #walBytes(): number {
    return statSync(this.#walPath, { throwIfNoEntry: false })?.size ?? 0
  }
}

/** Notifies the shard that the owner's entries are left out from the first one of the turn on. */
function refuse({ turn, owner, reason }: Refusal<WriteSource>, offset: number): void {
  const first = turn.entries.findIndex((entry) => ownerOf(entry) === owner)
  turn.source.refused(turn.lane, owner, offset + first + 1, reason)
}
