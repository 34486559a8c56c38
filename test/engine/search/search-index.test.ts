import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Document, SearchIndex } from '../../../engine/search/search-index.ts'
import { Database } from '../../../engine/storage/sqlite/driver.ts'
import { parseQuery } from '../../../engine/text/query.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { Random } from '../simulation/random.ts'

const DOCUMENTS = 400
const ROUNDS = 20
const GROWN = 60
const CHANGED = 10

// PRV-3
it('does not write removed text to its files again after they were cleaned', () => {
  const found: string[] = []
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = new Random(seed)
    const dataDir = temporaryFolder()
    const index = SearchIndex.open(dataDir)
    // Words without common prefixes.
    const word = (i: number) => `${((i * 2_654_435_761) >>> 0).toString(36)}removed${i}q`
    const document = (i: number, text: string): Document => {
      return { group: 1, seq: i + 1, sender: 1, createdAt: 1_750_000_000_000 + i, text }
    }
    const filled = (i: number) => document(i, `${word(i)} ${'filler '.repeat(random.below(200))}`)
    const write = (documents: readonly Document[]) => {
      index.put(documents)
      index.commit([])
    }
    // Rows grow and shrink, so that unused bytes of pages contain old copies.
    write(Array.from({ length: DOCUMENTS }, (_, i) => filled(i)))
    for (let i = 0; i < GROWN; i++) index.put([filled(random.below(DOCUMENTS))])
    index.commit([])
    const removed = Array.from({ length: DOCUMENTS }, (_, i) => i).filter(() => random.chance(0.3))
    write(removed.map((i) => document(i, '')))
    expect(index.tidy()).toBe(true)
    // These pages are written again, with newer contents.
    const left = Array.from({ length: DOCUMENTS }, (_, i) => i).filter((i) => !removed.includes(i))
    for (let i = 0; i < CHANGED; i++) {
      index.put([document(DOCUMENTS + i, `new text ${i}`)])
      index.put([document(random.pick(left), 'changed '.repeat(random.below(100)))])
    }
    index.commit([])
    const files = ['search.db', 'search.db-wal'].map((name) => readFileSync(join(dataDir, name), 'latin1'))
    for (const i of removed) if (files.some((file) => file.includes(word(i)))) found.push(`${seed}: ${i}`)
    index.close()
    checkIntegrity(dataDir)
  }
  expect(found).toEqual([])
})

// PRV-3
it('stores no beginning of a removed word as the separator of two pages', () => {
  const found: string[] = []
  for (let seed = 1; seed <= ROUNDS / 2; seed++) {
    const random = new Random(seed)
    const dataDir = temporaryFolder()
    const index = SearchIndex.open(dataDir)
    // Numbered words: what distinguishes one from the word before it is often the whole word. The short
    // ones are in the indexes of beginnings, too.
    const secret = (i: number) =>
      i % 2 === 0 ? `secret${1_000_000 + i}` : `${String.fromCodePoint(0x4e00 + i)}字`
    const document = (i: number, text: string): Document => {
      return { group: 1, seq: i + 1, sender: 1, createdAt: 1_750_000_000_000 + i, text }
    }
    const count = 500 + random.below(2_000)
    for (let from = 0; from < count; from += 250) {
      index.put(Array.from({ length: 250 }, (_, i) => document(from + i, `${secret(from + i)} hello`)))
      index.commit([])
    }
    const removed = Array.from({ length: count }, (_, i) => i).filter(() => random.chance(0.7))
    const isRemoved = new Set(removed)
    for (let from = 0; from < removed.length; from += 100) {
      const some = removed.slice(from, from + 100)
      index.put(some.map((i) => document(i, random.chance(0.5) ? '' : 'other')))
      index.commit([])
    }
    expect(index.tidy()).toBe(true)
    const file = readFileSync(join(dataDir, 'search.db'))
    for (const i of removed) if (file.includes(secret(i))) found.push(`${seed}: ${secret(i)}`)
    // All the others are found as before, of which some are looked for.
    for (let i = 0; i < count; i += 5) {
      const hits = [...index.search({ terms: parseQuery(secret(i)) }, null)]
      if (hits.length !== (isRemoved.has(i) ? 0 : 1)) found.push(`${seed}: ${hits.length} of ${secret(i)}`)
    }
    index.close()
    checkIntegrity(dataDir)
  }
  expect(found).toEqual([])
})

/** Throws if the index does not hold exactly the words of its documents. */
function checkIntegrity(dataDir: string): void {
  const db = new Database(join(dataDir, 'search.db'))
  db.exec("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
  db.close()
}
