/**
 * SQLite loop: the yardstick of `ingest`. It inserts messages into the same table of the same schema with
 * better-sqlite3, in transactions, and does nothing else: no check, no order, no index for search, no socket.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openWriter } from '../../engine/storage/sqlite/database.ts'
import { prepareWrites } from '../../engine/storage/sqlite/write-statements.ts'

const MS = 3_000
/** As many as the server has under way. */
const ROWS_A_TRANSACTION = 4_096
const GROUPS = 16
/** SQLite's own default; the writer of the server has checkpoints of its own. */
const PAGES_A_CHECKPOINT = 1_000

/** Rows a second, each durable when the loop goes on, as with the server's default (`process`). */
export function bareInsertsASecond(content: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'tertulia-bench-'))
  try {
    const db = openWriter(folder, 'process')
    db.pragma(`wal_autocheckpoint = ${PAGES_A_CHECKPOINT}`)
    const { addMessage } = prepareWrites(db)
    let rows = 0
    const insertSome = db.transaction(() => {
      for (let i = 0; i < ROWS_A_TRANSACTION; i++) {
        const seq = Math.floor(rows / GROUPS) + 1
        const at = 1_750_000_000_000 + rows
        addMessage.run(
          1 + (rows % GROUPS),
          seq,
          1 + (rows % 64),
          'text',
          content,
          at,
          `t${rows}`,
          null,
          null,
          null,
        )
        rows += 1
      }
    })
    const startedAt = performance.now()
    while (performance.now() - startedAt < MS) insertSome.immediate()
    const seconds = (performance.now() - startedAt) / 1_000
    db.close()
    return rows / seconds
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
