/**
 * Preloaded by `node --import` into an engine of a test, and thereby into each of its threads: the writer
 * thread appends the `synchronous` setting of its connection to `REPORT_FILE` when it closes the
 * connection.
 */
import { appendFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isMainThread, workerData } from 'node:worker_threads'

if (!isMainThread && workerData?.search && !workerData.writer && !workerData.options) {
  const Database = createRequire(import.meta.url)('better-sqlite3')
  const { close } = Database.prototype
  Database.prototype.close = function closeAndReport() {
    if (this.open && this.name.endsWith('tertulia.db')) {
      appendFileSync(process.env['REPORT_FILE'], `writer ${this.pragma('synchronous', { simple: true })}\n`)
    }
    return close.call(this)
  }
}
