/**
 * Inline storage: the log, its reader and search on the calling thread, for `shards: 'inline'`.
 */
import type { EngineLogger } from '../base/engine-logger.ts'
import { FileFolder } from '../files/file-folder.ts'
import { Janitor } from '../files/janitor.ts'
import type { Durability } from '../log/durability.ts'
import type { Log, LogListener } from '../log/log.ts'
import type { SearchReader, Views } from '../log/views.ts'
import { ChangedGroups } from '../search/changed-groups.ts'
import type { IndexerStats } from '../search/indexer-stats.ts'
import { InlineSearch } from '../search/search-ends.ts'
import { SearchService } from '../search/search-service.ts'
import { DAMAGED, damageRefusal, isDamage } from '../storage/damage.ts'
import { InlineLog } from '../storage/inline-log.ts'
import { InlineViews, type QueryRunner } from '../storage/query-runner.ts'
import { lockDirectory, openReader, openWriter, walPath } from '../storage/sqlite/database.ts'
import { FileRows } from '../storage/sqlite/file-rows.ts'
import { Reader } from '../storage/sqlite/reader.ts'
import { Writer } from '../storage/sqlite/writer.ts'
import { WriteLoop } from '../storage/write-loop.ts'
import type { StoredRead } from '../stored/reads.ts'

/** Storage of one process on one thread. */
export interface InlineStorage {
  /** The log of a shard with these lanes. */
  log(lanes: readonly number[], listener: LogListener): Log
  readonly views: Views
  readonly search: SearchReader
  searchStats(): IndexerStats
  /** Whether a part of the database could not be read because it is damaged. */
  damaged(): boolean
  close(): Promise<void>
}

/** Opens the data directory. @throws StorageError */
export function openInlineStorage(
  dataDir: string,
  durability: Durability,
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
    const loop = new WriteLoop(writer, walPath(dataDir), changes.committed)
    const janitor = new Janitor({
      folder: new FileFolder(dataDir),
      rows: new FileRows(db),
      now,
      isFailing: () => loop.isFailing,
      onErased: () => {
        writer.erased()
        loop.wrote()
      },
    })
    janitor.start()
    let damaged = false
    const watched: QueryRunner<StoredRead> = {
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
      log: (lanes, listener) => new InlineLog(loop, watched, lanes, listener),
      views: new InlineViews(watched),
      search: new InlineSearch(search),
      searchStats: () => search.stats(),
      damaged: () => damaged,
      async close() {
        try {
          loop.close()
          reader.close()
          // A clean stop leaves nothing of what was deleted. // PRV-3
          search.finish()
          await janitor.finish().catch(() => {})
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
