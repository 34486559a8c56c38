/**
 * Disk: the storage of a simulation, which runs the real SQL in memory.
 *
 * Entries are queued by turn, as for the writer's thread. `commit` writes some of the turns in one
 * transaction, at once or later; while it fails, it writes none. Reads run in order at some time
 * after the request, and are answered later. A crash discards what was not committed.
 */
import Database from 'better-sqlite3'
import { lanesOf } from '../../../engine/base/partition.ts'
import type { LaneOffset, Log, LogListener } from '../../../engine/log/log.ts'
import type { SearchReader, Views } from '../../../engine/log/views.ts'
import { migrate } from '../../../engine/storage/sqlite/migrate.ts'
import { Reader } from '../../../engine/storage/sqlite/reader.ts'
import { makeSecrets } from '../../../engine/storage/sqlite/secrets.ts'
import { Writer } from '../../../engine/storage/sqlite/writer.ts'
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { ReadQuery } from '../../../engine/stored/reads.ts'
import type { Scheduler } from './scheduler.ts'

/** Is notified of what reaches the disk, before the shards are. */
export interface DiskWatcher {
  appended(lane: number, offset: number, entry: LogEntry): void
  committed(lane: number, offset: number): void
  /** The shard is notified of a commit, and shows what has waited for it. */
  notified(lane: number, offset: number): void
}

interface Turn {
  readonly shard: number
  readonly lane: number
  readonly entries: readonly LogEntry[]
}

const RETRY_MS = 50
/** Why a read fails. */
export const UNREADABLE = 'the disk cannot be read'

export class Disk {
  readonly #db: Database.Database
  readonly #shards: number
  readonly #scheduler: Scheduler
  readonly #watcher: DiskWatcher
  /** The number of turns in the next transaction. */
  readonly #batch: () => number
  #writer: Writer
  #reader: Reader
  #listeners: LogListener[] = []
  #queue: Turn[] = []
  /** By lane, what is committed in this process. */
  #offsets: number[] = []
  #scheduled = false
  #wasFailing = false
  /** Counts the processes: what an older process appends is ignored. */
  #process = 0
  /** Commits fail while it is true. */
  failing = false
  /** The number of next reads that fail. */
  failingReads = 0
  /** The number of reads that have failed so far. */
  failedReads = 0

  constructor(
    shards: number,
    scheduler: Scheduler,
    watcher: DiskWatcher,
    batch: () => number,
    image: Buffer,
  ) {
    this.#shards = shards
    this.#db = new Database(image)
    this.#scheduler = scheduler
    this.#watcher = watcher
    this.#batch = batch
    this.#writer = new Writer(this.#db)
    this.#reader = new Reader(this.#db)
  }

  /** The initial state of every simulation: an empty database with its schema. */
  static image(): Buffer {
    const db = new Database(':memory:')
    migrate(db)
    // The ids of direct chats, and so their shards, are the same in every run of a seed.
    makeSecrets(db, (bytes) => new Uint8Array(bytes))
    const image = db.serialize()
    db.close()
    return image
  }

  /** Turns that are not committed. */
  get depth(): number {
    return this.#queue.length
  }

  /** The log of a shard; the offsets of its lanes begin at 1. */
  open(shard: number, listener: LogListener): Log {
    const process = this.#process
    this.#listeners[shard] = listener
    for (const lane of lanesOf(shard, this.#shards)) this.#offsets[lane] = 0
    const appended: number[] = []
    return {
      append: (batches) => {
        if (process !== this.#process) return
        for (const { lane, entries } of batches) {
          this.#queue.push({ shard, lane, entries })
          for (const entry of entries) {
            appended[lane] = (appended[lane] ?? 0) + 1
            this.#watcher.appended(lane, appended[lane], entry)
          }
        }
        this.#schedule()
      },
      events: (query) => this.#read(shard, query),
      close() {},
    }
  }

  views(shard: number): Views {
    return {
      ofGroup: (query) => this.#read(shard, query as never),
      ofUser: (query) => this.#read(shard, query as never),
    }
  }

  search(shard: number): SearchReader {
    return { search: (query) => this.#read(shard, query as never) }
  }

  /** Updates the counters used for unread counts, as an idle writer does. */
  settle(): void {
    this.#writer.settle()
  }

  /** The process ends: what was not committed and what was in memory is lost. */
  crash(): void {
    this.#process += 1
    this.#queue = []
    this.#listeners = []
    this.#offsets = []
    this.#scheduled = false
    this.#wasFailing = false
    this.failingReads = 0
    this.#writer = new Writer(this.#db)
    this.#reader = new Reader(this.#db)
  }

  close(): void {
    this.#db.close()
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0) return
    this.#scheduled = true
    this.#scheduler.enqueue('commit', () => this.#commit())
  }

  #commit(): void {
    this.#scheduled = false
    if (this.failing) {
      this.#wasFailing = true
      for (const shard of this.#listeners.keys()) {
        this.#tell(shard, () =>
          this.#listeners[shard]?.failing(lanesOf(shard, this.#shards), 'the disk is full'),
        )
      }
      this.#scheduled = true
      this.#scheduler.after(RETRY_MS, () => this.#commit())
      return
    }
    const taken = this.#queue.slice(0, this.#batch())
    this.#writer.commit(taken.flatMap(({ entries }) => entries))
    this.#queue = this.#queue.slice(taken.length)
    const reached = new Set<number>()
    for (const { lane, entries } of taken) {
      this.#offsets[lane] = (this.#offsets[lane] ?? 0) + entries.length
      reached.add(lane)
    }
    for (const shard of this.#listeners.keys()) {
      const lanes = lanesOf(shard, this.#shards).filter((lane) => this.#wasFailing || reached.has(lane))
      if (lanes.length === 0) continue
      const offsets = lanes.map((lane): LaneOffset => [lane, this.#offsets[lane] ?? 0])
      for (const [lane, offset] of offsets) this.#watcher.committed(lane, offset)
      this.#tell(shard, () => {
        for (const [lane, offset] of offsets) this.#watcher.notified(lane, offset)
        this.#listeners[shard]?.committed(offsets)
      })
    }
    this.#wasFailing = false
    this.#schedule()
  }

  #tell(shard: number, what: () => void): void {
    this.#scheduler.enqueue(`disk>shard${shard}`, what)
  }

  #read(shard: number, query: ReadQuery): Promise<never> {
    return new Promise((resolve, reject) => {
      this.#scheduler.enqueue(`read${shard}`, () => {
        const fails = this.failingReads > 0
        if (fails) this.failingReads -= 1
        if (fails) this.failedReads += 1
        const result = fails ? null : this.#answer(query)
        this.#scheduler.enqueue(`answer${shard}`, () => {
          if (fails) reject(new Error(UNREADABLE))
          else resolve(result as never)
        })
      })
    })
  }

  /** Searches are not simulated: they find nothing. */
  #answer(query: ReadQuery): unknown {
    if (query.read === 'search') return { hits: [] }
    if (query.read === 'users') return { users: [], keys: [] }
    return this.#reader.run(query as never)
  }
}
