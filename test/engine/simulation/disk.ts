/**
 * Disk: the storage of a simulation, the real SQL in memory.
 *
 * Entries wait in turns, as for the writer's thread; `commit` writes some of the turns in one
 * transaction, now, late or not at all while it fails. Reads are run in their order at some time
 * after they were asked, and answered later still. A crash forgets what was not committed.
 */
import Database from 'better-sqlite3'
import type { Log, LogEntry, LogListener, ReadQuery, StoredRead } from '../../../engine/storage/log.ts'
import { migrate } from '../../../engine/storage/sqlite/migrate.ts'
import { Reader } from '../../../engine/storage/sqlite/reader.ts'
import { makeSecrets } from '../../../engine/storage/sqlite/secrets.ts'
import { Writer } from '../../../engine/storage/sqlite/writer.ts'
import type { Scheduler } from './scheduler.ts'

/** Who hears what reaches the disk, before the shards do. */
export interface DiskWatcher {
  appended(shard: number, offset: number, entry: LogEntry): void
  committed(shard: number, offset: number): void
  /** The shard is told of what is committed, and shows it where it has waited for that. */
  told(shard: number, offset: number): void
}

interface Turn {
  readonly shard: number
  readonly entries: readonly LogEntry[]
}

const RETRY_MS = 50
/** Why a read fails. */
export const UNREADABLE = 'the disk cannot be read'

export class Disk {
  readonly #db: Database.Database
  readonly #scheduler: Scheduler
  readonly #watcher: DiskWatcher
  /** How many turns the next transaction takes. */
  readonly #batch: () => number
  #writer: Writer
  #reader: Reader
  #listeners: LogListener[] = []
  #queue: Turn[] = []
  #offsets: number[] = []
  #scheduled = false
  #wasFailing = false
  /** Counts the processes: what an older one asked for is void. */
  #process = 0
  /** Commits fail while it is true. */
  failing = false
  /** How many of the next reads fail. */
  failingReads = 0
  /** How many have failed, ever. */
  failedReads = 0

  constructor(scheduler: Scheduler, watcher: DiskWatcher, batch: () => number, image: Buffer) {
    this.#db = new Database(image)
    this.#scheduler = scheduler
    this.#watcher = watcher
    this.#batch = batch
    this.#writer = new Writer(this.#db)
    this.#reader = new Reader(this.#db)
  }

  /** What every simulation starts from: an empty database with its schema. */
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

  /** The log of a shard; its offsets begin at 1. */
  open(shard: number, listener: LogListener): Log {
    const process = this.#process
    this.#listeners[shard] = listener
    this.#offsets[shard] = 0
    let offset = 0
    let turn: LogEntry[] = []
    return {
      append: (entry) => {
        if (process !== this.#process) return 0
        offset += 1
        if (turn.length === 0) {
          this.#scheduler.defer(() => {
            this.#queue.push({ shard, entries: turn })
            turn = []
            this.#schedule()
          })
        }
        turn.push(entry)
        this.#watcher.appended(shard, offset, entry)
        return offset
      },
      read: (query) => this.#read(shard, query as never),
    }
  }

  /** Brings the counters behind unread counts up to date, as in a quiet moment. */
  settle(): void {
    this.#writer.settle()
  }

  /** The process is gone: what was not committed is lost, what memory knew forgotten. */
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
        this.#tell(shard, () => this.#listeners[shard]?.failing('the disk is full'))
      }
      this.#scheduled = true
      this.#scheduler.after(RETRY_MS, () => this.#commit())
      return
    }
    const taken = this.#queue.slice(0, this.#batch())
    this.#writer.commit(taken.flatMap(({ entries }) => entries))
    this.#queue = this.#queue.slice(taken.length)
    const reached = new Set<number>()
    for (const { shard, entries } of taken) {
      this.#offsets[shard] = (this.#offsets[shard] ?? 0) + entries.length
      reached.add(shard)
    }
    for (const shard of this.#wasFailing ? this.#listeners.keys() : reached) {
      const offset = this.#offsets[shard] ?? 0
      this.#watcher.committed(shard, offset)
      this.#tell(shard, () => {
        this.#watcher.told(shard, offset)
        this.#listeners[shard]?.committed(offset)
      })
    }
    this.#wasFailing = false
    this.#schedule()
  }

  #tell(shard: number, what: () => void): void {
    this.#scheduler.enqueue(`disk>shard${shard}`, what)
  }

  #read(shard: number, query: ReadQuery<StoredRead>): Promise<never> {
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

  /** What search would answer is none of this world's business. */
  #answer(query: ReadQuery): unknown {
    if (query.read === 'search') return { hits: [] }
    if (query.read === 'users') return { users: [] }
    return this.#reader.run(query as never)
  }
}
