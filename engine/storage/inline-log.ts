/**
 * Inline log: SQLite on the calling thread, for `shards: 'inline'`.
 *
 * The same writer, write loop and reader as in the worker threads; only the way between is shorter.
 */

import type { EngineLogger } from '../engine-logger.ts'
import { FileFolder } from '../files/file-folder.ts'
import { Janitor } from '../files/janitor.ts'
import { ChangedGroups } from '../search/changed-groups.ts'
import type { IndexerStats } from '../search/indexer-stats.ts'
import { SearchService } from '../search/search-service.ts'
import type { Defer } from '../shards/batch.ts'
import { DAMAGED, damageRefusal, isDamage } from './damage.ts'
import type { Durability } from './durability.ts'
import {
  isSearch,
  type Log,
  type LogEntry,
  type LogListener,
  type ReadName,
  type ReadQuery,
  type Reads,
} from './log.ts'
import { databasePath, lockDirectory, openReader, openWriter } from './sqlite/database.ts'
import { FileRows } from './sqlite/file-rows.ts'
import { Reader } from './sqlite/reader.ts'
import { Writer } from './sqlite/writer.ts'
import { WriteLoop } from './write-loop.ts'

/** Storage of one process on one thread. */
export interface InlineStorage {
  /** The log of the one shard. */
  log(listener: LogListener): Log
  searchStats(): IndexerStats
  /** Whether a part of the database could not be read because it is damaged. */
  damaged(): boolean
  close(): Promise<void>
}

/** Opens the data directory. @throws StorageError */
export function openInlineStorage(
  dataDir: string,
  durability: Durability,
  defer: Defer,
  now: () => number = Date.now,
  logger: EngineLogger = { info() {}, warn() {}, error() {} },
): InlineStorage {
  const lock = lockDirectory(dataDir)
  try {
    const db = openWriter(dataDir, durability)
    const writer = new Writer(db)
    // After a crash the WAL may hold what was deleted. // PRV-3
    writer.eraseOld(logger)
    writer.checkpoint()
    const reader = new Reader(openReader(dataDir))
    const search = new SearchService(dataDir, logger)
    const changes = new ChangedGroups((note) => {
      search.changed(note, () => changes.handled())
    })
    const loop = new WriteLoop(writer, `${databasePath(dataDir)}-wal`, (entries) =>
      changes.committed(entries),
    )
    const janitor = new Janitor({
      folder: new FileFolder(dataDir),
      rows: new FileRows(db),
      now,
      onErased: () => {
        writer.erased()
        loop.wrote()
      },
    })
    janitor.start()
    let damaged = false
    const watched: Pick<Reader, 'run'> = {
      run(query) {
        try {
          return reader.run(query)
        } catch (error) {
          if (!isDamage(error)) throw error
          if (!damaged) logger.error({ cause: String(error) }, DAMAGED)
          damaged = true
          throw damageRefusal()
        }
      },
    }
    return {
      log: (listener) => new InlineLog(loop, watched, search, listener, defer),
      searchStats: () => search.stats(),
      damaged: () => damaged,
      async close() {
        try {
          loop.close()
          reader.close()
          // A clean stop leaves nothing of what was deleted. // PRV-3
          search.finish()
          await janitor.erase().catch(() => {})
          writer.checkpoint()
        } finally {
          janitor.close()
          search.close()
          writer.close()
          lock.release()
        }
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

class InlineLog implements Log {
  readonly #loop: WriteLoop
  readonly #reader: Pick<Reader, 'run'>
  readonly #search: SearchService
  readonly #listener: LogListener
  readonly #defer: Defer
  #turn: LogEntry[] = []
  #offset = 0

  constructor(
    loop: WriteLoop,
    reader: Pick<Reader, 'run'>,
    search: SearchService,
    listener: LogListener,
    defer: Defer,
  ) {
    this.#loop = loop
    this.#reader = reader
    this.#search = search
    this.#listener = listener
    this.#defer = defer
    loop.addSource(listener)
  }

  append(entry: LogEntry): number {
    if (this.#turn.length === 0) {
      this.#defer(() => {
        const entries = this.#turn
        this.#turn = []
        this.#loop.push(this.#listener, entries)
      })
    }
    this.#turn.push(entry)
    this.#offset += 1
    return this.#offset
  }

  async read<N extends ReadName>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    return isSearch(query) ? this.#search.run(query as never) : this.#reader.run(query)
  }
}
