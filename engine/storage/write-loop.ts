/**
 * Write loop: commits what has arrived, as one transaction, again and again.
 *
 * The batch is natural: while one transaction runs, entries of all shards gather, and the next
 * takes them all (up to `MAX_ENTRIES`, whole turns of a shard, so that what one handler wrote is
 * kept or lost together). A failed commit loses nothing: the shards are told, the entries stay,
 * and it is tried again with backoff until it works (DUR-1). An entry that can never be applied
 * fails its owner only: its shard is told, and the rest is committed (`fences.ts`). The queue is
 * bounded by the shards, each of which stops accepting writes at a bound of what is not committed.
 */
import { statSync } from 'node:fs'
import type { LaneBatch, LaneOffset } from '../log/log.ts'
import { ownerOf } from '../stored/entry-owner.ts'
import type { LogEntry } from '../stored/log-entry.ts'
import { EntryError } from './entry-error.ts'
import { admit, type Fences, type Refusal, type Turn } from './fences.ts'

/** Entries of one transaction, give or take a turn: a few ten milliseconds at the most. */
const MAX_ENTRIES = 4_096
/** Above this size the WAL is checkpointed between two transactions. */
const MAX_WAL_BYTES = 8 * 1024 * 1024
/** So long after a commit it is emptied at the latest: what was deleted must be in no file any more. // PRV-3 */
const MAX_WAL_AGE_MS = 20_000
/** Where a reader still needs it. */
const CHECKPOINT_AGAIN_MS = 500
/** Quiet for so long, the writer catches up and the WAL is emptied. */
const IDLE_MS = 1_000
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 2_000

/** What the loop drives: `sqlite/writer.ts`. */
export interface Committer {
  /** Commits all or none. @throws EntryError where one of them can never be applied */
  commit(entries: readonly LogEntry[]): void
  /** Catches up with what follows behind the commits. */
  settle(): void
  /** False where it has to be tried again. */
  checkpoint(): boolean
}

/** A shard, as the loop answers it. */
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
  /** When the WAL is emptied at the latest. */
  #due: NodeJS.Timeout | null = null

  /** `onCommitted` hears of every transaction, once its shards have. */
  constructor(
    committer: Committer,
    walPath: string,
    onCommitted: (entries: readonly LogEntry[]) => void = () => {},
  ) {
    this.#committer = committer
    this.#walPath = walPath
    this.#onCommitted = onCommitted
  }

  /** Adds a shard; the offsets of its lanes start at 0. */
  addSource(source: WriteSource): void {
    this.#sources.push(source)
    this.#offsets.set(source, [])
  }

  /** Queues what a shard appended to a lane in one turn. */
  push(source: WriteSource, { lane, entries }: LaneBatch): void {
    this.#queue.push({ source, lane, entries })
    if (!this.#scheduled && !this.#retry) this.#scheduled = setImmediate(() => this.#run())
  }

  /** Something else was written to the database: the WAL is emptied in time. */
  wrote(): void {
    this.#due ??= setTimeout(() => this.#checkpoint(), MAX_WAL_AGE_MS).unref()
  }

  /** Commits what is left, if it can, and stops. @throws what the last commit threw. */
  close(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled)
    if (this.#retry) clearTimeout(this.#retry)
    if (this.#idle) clearTimeout(this.#idle)
    if (this.#due) clearTimeout(this.#due)
    while (this.#queue.length > 0) this.#commitSome()
    this.#settle()
  }

  #run(): void {
    this.#scheduled = null
    this.#retry = null
    try {
      this.#commitSome()
      this.#retryMs = FIRST_RETRY_MS
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#failing = true
      for (const source of this.#sources) source.failing(reason)
      this.#retry = setTimeout(() => this.#run(), this.#retryMs)
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
      return
    }
    if (this.#queue.length > 0) this.#scheduled = setImmediate(() => this.#run())
    this.wrote()
    if (this.#walBytes() > MAX_WAL_BYTES) this.#checkpoint()
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
    const taken = this.#queue.slice(0, turns)
    const refusals: Refusal<WriteSource>[] = []
    const entries = this.#commit(taken, refusals)
    this.#queue = this.#queue.slice(turns)
    const reached = new Map<WriteSource, Set<number>>()
    for (const turn of taken) {
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
      source.committed(lanes.map((lane) => [lane, offsets[lane] ?? 0]))
    }
    this.#failing = false
    this.#onCommitted(entries)
  }

  /** Commits what can be applied, and notes what cannot. @throws where storage fails */
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
      // No room: nothing depends on it, the next quiet moment tries again.
    }
  }

  #checkpoint(): void {
    if (this.#due) clearTimeout(this.#due)
    this.#due = null
    if (this.#emptiesWal()) return
    this.#due = setTimeout(() => this.#checkpoint(), CHECKPOINT_AGAIN_MS).unref()
  }

  #emptiesWal(): boolean {
    try {
      return this.#committer.checkpoint()
    } catch {
      // No room: the WAL keeps everything.
      return false
    }
  }

  #walBytes(): number {
    return statSync(this.#walPath, { throwIfNoEntry: false })?.size ?? 0
  }
}

/** Tells the shard from which offset on the owner's entries are left out: from its first of the turn. */
function refuse({ turn, owner, reason }: Refusal<WriteSource>, offset: number): void {
  const first = turn.entries.findIndex((entry) => ownerOf(entry) === owner)
  turn.source.refused(turn.lane, owner, offset + first + 1, reason)
}
