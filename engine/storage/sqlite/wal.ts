/**
 * WAL: copies committed pages from the write-ahead log to the database file, and ensures that neither
 * contains deleted data afterwards. // PRV-3
 *
 * When pages of the log are in the file, their unused bytes are set to zero there, and only when all are is
 * the log emptied. After a crash in between, the log still exists and everything is repeated. The bytes
 * written directly to the file have no meaning for SQLite. They are valid only for the version of a page that
 * was copied last, so one connection at a time copies (`wal-copier.ts` says how two take turns).
 * The file stays open as long as the database: closing it would drop SQLite's locks (POSIX).
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import type { CopiedFrames } from '../copied-frames.ts'
import { MAX_PAGES, type Part, unusedBytes, zerosOf } from './unused-bytes.ts'

const WAL_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
/** Pages that are read at once: 1 MiB. */
const PAGES_AT_ONCE = 256

interface Checkpoint {
  readonly busy: number
  /** Number of frames in the log, and how many of them are in the file. */
  readonly log: number
  readonly checkpointed: number
}

export class Wal {
  readonly #db: Database
  #file: number | null = null
  #copied: CopiedFrames = { salt: '', frames: 0 }

  constructor(db: Database) {
    this.#db = db
  }

  /**
   * Empties the log. With `erased` it also drops cached pages, which may contain deleted data. `copied` says
   * what another connection has copied. Returns false if a reader still needs the log: nothing is lost, and
   * it can be retried.
   */
  empty(erased: boolean, copied: CopiedFrames = this.#copied): boolean {
    this.#copied = copied
    const { busy, log, checkpointed } = this.#checkpoint('PASSIVE')
    // There is no log yet.
    if (log < 0) return true
    if (busy !== 0 || checkpointed < log) return false
    if (log > 0) this.#clean(log)
    if (this.#checkpoint('TRUNCATE').busy !== 0) return false
    if (erased) this.#db.pragma('shrink_memory')
    return true
  }

  /**
   * Copies what no reader prevents, and returns what is copied, or null if nothing could be. The log must not
   * restart meanwhile: a snapshot of it must be open.
   */
  copy(): CopiedFrames | null {
    const { busy, checkpointed } = this.#checkpoint('PASSIVE')
    if (busy !== 0 || checkpointed <= 0) return null
    this.#clean(checkpointed)
    return this.#copied
  }

  /** Sets the unused bytes of the whole file to zero, and its free pages. The log must be empty. */
  cleanFile(onProgress: (pages: number, totalPages: number) => void): void {
    const pageSize = this.#db.pragma('page_size', { simple: true }) as number
    const file = this.#open()
    const total = Math.floor(fstatSync(file).size / pageSize)
    if (total > MAX_PAGES) return
    const pages = Buffer.alloc(PAGES_AT_ONCE * pageSize)
    for (let before = 0; before < total; before += PAGES_AT_ONCE) {
      const bytes = readSync(file, pages, 0, pages.length, before * pageSize)
      for (let i = 0; (i + 1) * pageSize <= bytes; i++) {
        const page = pages.subarray(i * pageSize, (i + 1) * pageSize)
        this.#zero(before + i + 1, pageSize, unusedBytes(page, before + i + 1))
      }
      onProgress(Math.min(before + PAGES_AT_ONCE, total), total)
    }
    this.#zeroFreePages(pageSize, total)
    fsyncSync(file)
    this.#db.pragma('shrink_memory')
  }

  /** Closes the file. Call it after the database was closed. */
  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }

  #checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): Checkpoint {
    return (this.#db.pragma(`wal_checkpoint(${mode})`) as [Checkpoint])[0]
  }

  /** Sets the unused bytes of all pages that the log has copied to the file to zero. */
  #clean(frames: number): void {
    const log = openSync(`${this.#db.name}-wal`, 'r')
    try {
      const header = Buffer.alloc(WAL_HEADER_BYTES)
      readSync(log, header, 0, header.length, 0)
      const pageSize = header.readUInt32BE(8)
      const salt = header.toString('latin1', 16, 24)
      const first = salt === this.#copied.salt ? this.#copied.frames : 0
      if (fstatSync(this.#open()).size / pageSize <= MAX_PAGES) {
        for (const [page, parts] of unusedInLog(log, first, frames, pageSize)) {
          this.#zero(page, pageSize, parts)
        }
      }
      this.#copied = { salt, frames }
    } finally {
      closeSync(log)
    }
  }

  /** Free pages form a list of trunk pages, which name the next trunk and other free pages (fileformat2 1.5). */
  #zeroFreePages(pageSize: number, total: number): void {
    const file = this.#open()
    const page = Buffer.alloc(pageSize)
    readSync(file, page, 0, pageSize, 0)
    let trunk = page.readUInt32BE(32)
    for (let seen = 0; trunk > 1 && trunk <= total && seen < total; seen++) {
      readSync(file, page, 0, pageSize, (trunk - 1) * pageSize)
      const count = page.readUInt32BE(4)
      const end = 8 + 4 * count
      if (end > pageSize) return
      for (let i = 0; i < count; i++) {
        const free = page.readUInt32BE(8 + 4 * i)
        if (free > 1 && free <= total) this.#zero(free, pageSize, [[0, pageSize]])
      }
      this.#zero(trunk, pageSize, [[end, pageSize]])
      trunk = page.readUInt32BE(0)
    }
  }

  #zero(page: number, pageSize: number, parts: readonly Part[]): void {
    for (const [from, to] of parts) {
      writeSync(this.#open(), zerosOf(to - from), 0, to - from, (page - 1) * pageSize + from)
    }
  }

  #open(): number {
    this.#file ??= openSync(this.#db.name, 'r+')
    return this.#file
  }
}

/** For each page in these frames of the log: the unused bytes of its newest version that are not zero. */
function unusedInLog(
  log: number,
  first: number,
  end: number,
  pageSize: number,
): ReadonlyMap<number, readonly Part[]> {
  const found = new Map<number, readonly Part[]>()
  const frameBytes = FRAME_HEADER_BYTES + pageSize
  const frames = Buffer.alloc(Math.min(PAGES_AT_ONCE, end - first) * frameBytes)
  // From the newest frame to the oldest: a page that was found is newer than the others of its number.
  for (let to = end; to > first; to -= PAGES_AT_ONCE) {
    const from = Math.max(first, to - PAGES_AT_ONCE)
    const bytes = (to - from) * frameBytes
    if (readSync(log, frames, 0, bytes, WAL_HEADER_BYTES + from * frameBytes) < bytes) {
      throw new Error('the write-ahead log ends before its last frame')
    }
    for (let at = (to - from - 1) * frameBytes; at >= 0; at -= frameBytes) {
      const page = frames.readUInt32BE(at)
      if (found.has(page)) continue
      found.set(page, unusedBytes(frames.subarray(at + FRAME_HEADER_BYTES, at + frameBytes), page))
    }
  }
  return found
}
