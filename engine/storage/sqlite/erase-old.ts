/**
 * Erase old: erases deleted texts that earlier versions left in free pages and in events of edits. It
 * runs once per file. // PRV-3
 *
 * It runs before anything else uses the file, in small transactions. After a crash it runs again. It
 * needs almost no free disk space, and reads the file once or twice.
 */
import type { Database, Statement } from 'better-sqlite3'
import { events } from '../../../protocol/events.ts'
import type { EngineLogger } from '../../base/engine-logger.ts'
import { storedFrame } from '../../stored/stored-frame.ts'
import type { Wal } from './wal.ts'

const ROWS_AT_ONCE = 1_000
/** Longer values use separate pages, which may contain remains of earlier values after their end. */
const LONG_BYTES = 800
const PROGRESS_MS = 10_000
const CHORE = 'erase_old'

interface Row<Value> {
  readonly group_key: number
  readonly seq: number
  readonly code: number
  readonly value: Value
}

/** Runs if it has not run yet. If it fails, for example on a full disk, it runs at the next start. */
export function eraseOld(db: Database, wal: Wal, logger: EngineLogger): void {
  try {
    if (db.prepare('SELECT 1 FROM chores WHERE name = ?').get(CHORE)) erase(db, wal, logger)
  } catch (error) {
    logger.warn({ cause: String(error) }, 'deleted messages of earlier versions are left in the file')
  }
}

function erase(db: Database, wal: Wal, logger: EngineLogger): void {
  logger.info({}, 'erasing what earlier versions left of deleted messages')
  let reportedAt = performance.now()
  const report = (progress: object) => {
    if (performance.now() - reportedAt < PROGRESS_MS) return
    reportedAt = performance.now()
    logger.info(progress, 'erasing what earlier versions left of deleted messages')
  }
  const { message_edited, group_created, group_updated } = events
  const texts = `code IN (${message_edited.code}, ${group_created.code}, ${group_updated.code})`
  rewrite<Buffer>(db, wal, 'events', 'code', 'frame', texts, report, (value, code) =>
    storedFrame(code, value),
  )
  rewrite<string>(db, wal, 'messages', '0', 'content', 'FALSE', report, (value) => value)
  wal.empty(true)
  wal.cleanFile((pages, totalPages) => report({ pages, totalPages }))
  db.prepare('DELETE FROM chores WHERE name = ?').run(CHORE)
  logger.info({}, 'erased what earlier versions left of deleted messages')
}

/** Rewrites the values that are long or match the condition. They are emptied first, so that their pages are freed. */
function rewrite<Value>(
  db: Database,
  wal: Wal,
  table: 'events' | 'messages',
  code: string,
  column: string,
  condition: string,
  report: (progress: object) => void,
  change: (value: Value, code: number) => Uint8Array | string,
): void {
  const next = db.prepare(`
    SELECT group_key, seq, ${code} AS code, ${column} AS value FROM ${table}
    WHERE (group_key, seq) > (?, ?) AND (${condition} OR octet_length(${column}) > ${LONG_BYTES})
    ORDER BY group_key, seq LIMIT ${ROWS_AT_ONCE}`) as unknown as Statement<[number, number], Row<Value>>
  const put = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE group_key = ? AND seq = ?`)
  const empty = table === 'events' ? Buffer.alloc(0) : ''
  const putAll = db.transaction((rows: readonly Row<Value>[]) => {
    for (const row of rows) put.run(empty, row.group_key, row.seq)
    for (const row of rows) put.run(change(row.value, row.code), row.group_key, row.seq)
  })
  let from: readonly [number, number] = [0, 0]
  for (;;) {
    const rows = next.all(...from)
    const last = rows.at(-1)
    if (!last) return
    putAll.immediate(rows)
    wal.empty(false)
    from = [last.group_key, last.seq]
    report({ table, group: last.group_key })
  }
}
