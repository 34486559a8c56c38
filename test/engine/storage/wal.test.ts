import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CopiedFrames } from '../../../engine/storage/copied-frames.ts'
import { Database } from '../../../engine/storage/sqlite/driver.ts'
import { Wal } from '../../../engine/storage/sqlite/wal.ts'
import { temporaryFolder } from '../../support/engines.ts'

const sqlite = new URL('../../../dist/engine/storage/sqlite/', import.meta.url)
/** Answers each message by what it has copied, or closes the database and ends. */
const copierCode = `
  const { parentPort, workerData } = require('node:worker_threads')
  import('${new URL('wal-copier.js', sqlite)}').then(({ WalCopier }) => {
    const copier = new WalCopier(workerData, 'process')
    parentPort.on('message', (message) => {
      if (message === 'copy') return parentPort.postMessage(copier.copy())
      copier.close()
      parentPort.close()
    })
    parentPort.postMessage('ready')
  })`

/** A database like those of the engine. Written and deleted contents are unique words. */
function aBook({ secure = true, long = true } = {}) {
  const dataDir = temporaryFolder()
  const path = join(dataDir, 'tertulia.db')
  const db = new Database(path, { timeout: 0 })
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = OFF')
  db.pragma('wal_autocheckpoint = 0')
  db.pragma(`secure_delete = ${secure ? 'ON' : 'OFF'}`)
  db.exec('CREATE TABLE rows (g INTEGER, seq INTEGER, text TEXT, PRIMARY KEY (g, seq)) STRICT, WITHOUT ROWID')
  const wal = new Wal(db)
  onTestFinished(() => {
    db.close()
    wal.close()
  })
  let state = 7
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const seqs = new Map<number, number>()
  const live: { g: number; seq: number; word: string }[] = []
  const removed: string[] = []
  let words = 0
  const text = (): [word: string, text: string] => {
    words += 1
    const word = `w${words.toString(36).padStart(5, '0')}q`
    const filler = long && random(30) === 0 ? 'x '.repeat(3_000 + random(4_000)) : 'y '.repeat(random(200))
    return [word, `${filler}${word} ${filler.slice(0, random(300))}`]
  }
  const insert = db.prepare('INSERT INTO rows VALUES (?, ?, ?)')
  const update = db.prepare('UPDATE rows SET text = ? WHERE g = ? AND seq = ?')
  return {
    db,
    wal,
    dataDir,
    path,
    removed,
    /** Writes rows of many groups, then replaces and empties some. */
    work: db.transaction((count: number) => {
      for (let i = 0; i < count; i++) {
        const row = random(10) < 6 ? undefined : live[random(live.length + 1)]
        const [word, content] = text()
        if (!row) {
          const g = random(40)
          const seq = (seqs.get(g) ?? 0) + 1
          seqs.set(g, seq)
          insert.run(g, seq, content)
          live.push({ g, seq, word })
          continue
        }
        removed.push(row.word)
        row.word = word
        update.run(content, row.g, row.seq)
      }
    }),
    /** Deletes the rows of some groups. */
    drop(above: number) {
      db.prepare('DELETE FROM rows WHERE g > ?').run(above)
      removed.push(...live.filter(({ g }) => g > above).map(({ word }) => word))
      live.splice(0, live.length, ...live.filter(({ g }) => g <= above))
    },
    /** The words that the file contains. */
    found: () =>
      new Set(
        readFileSync(path)
          .toString('latin1')
          .match(/w[0-9a-z]{5}q/g),
      ),
    live: () => live.map(({ word }) => word),
  }
}

describe('the WAL', () => {
  it('contains no replaced content when it is emptied, and loses no other content', () => {
    // PRV-3
    const { db, wal, path, work, found, removed, live } = aBook()
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 10; i++) work(100)
      expect(wal.empty(true)).toBe(true)
      expect(statSync(`${path}-wal`).size).toBe(0)
      const words = found()
      expect(removed.filter((word) => words.has(word))).toEqual([])
      expect(live().filter((word) => !words.has(word))).toEqual([])
    }
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  })

  it('cleans a file that still contains deleted rows of before', () => {
    // PRV-3
    const { db, wal, work, drop, found, removed, live } = aBook({ secure: false, long: false })
    for (let i = 0; i < 60; i++) work(100)
    drop(30)
    wal.empty(false)
    const left = () => {
      const words = found()
      return removed.filter((word) => words.has(word)).length
    }
    expect(left()).toBeGreaterThan(50)
    expect(db.pragma('freelist_count', { simple: true })).toBeGreaterThan(10)
    const reached: number[] = []
    wal.cleanFile((pages, total) => reached.push(pages / total))
    expect(reached.at(-1)).toBe(1)
    expect(left()).toBe(0)
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    const words = found()
    expect(live().filter((word) => !words.has(word))).toEqual([])
    work(500)
    expect(wal.empty(true)).toBe(true)
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  })

  it('waits for a reader that needs it, and loses nothing in the meantime', () => {
    const { db, wal, path, work, found, removed } = aBook()
    work(500)
    const reader = new Database(path, { readonly: true })
    onTestFinished(() => {
      reader.close()
    })
    reader.exec('BEGIN')
    const rows = reader.prepare('SELECT count(*) FROM rows').pluck()
    const before = rows.get()
    work(500)
    expect(wal.empty(true)).toBe(false)
    work(500)
    expect(wal.empty(true)).toBe(false)
    expect(rows.get()).toBe(before)
    reader.exec('COMMIT')
    expect(wal.empty(true)).toBe(true)
    const words = found()
    expect(removed.filter((word) => words.has(word))).toEqual([])
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(rows.get()).toBe(db.prepare('SELECT count(*) FROM rows').pluck().get())
  })

  it('contains no replaced content and loses nothing when another thread copies it during commits', async () => {
    // PRV-3
    const { db, wal, dataDir, path, work, found, removed, live } = aBook({ long: false })
    work(100)
    const copier = new Worker(copierCode, { eval: true, workerData: dataDir })
    onTestFinished(async () => {
      await copier.terminate()
    })
    await once(copier, 'message')
    let copies = 0
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 10; i++) work(100)
      let copied: CopiedFrames | null | undefined
      copier.once('message', (frames: CopiedFrames | null) => {
        copied = frames
      })
      copier.postMessage('copy')
      while (copied === undefined) {
        work(20)
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (copied) copies += 1
      work(20)
      expect(wal.empty(true, copied ?? undefined)).toBe(true)
      expect(statSync(`${path}-wal`).size).toBe(0)
      const words = found()
      expect(removed.filter((word) => words.has(word))).toEqual([])
      expect(live().filter((word) => !words.has(word))).toEqual([])
    }
    expect(copies).toBe(20)
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    copier.postMessage('end')
    await once(copier, 'exit')
  })
})
