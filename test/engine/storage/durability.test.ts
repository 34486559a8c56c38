import { describe, expect, it } from 'vitest'
import type { Durability } from '../../../engine/log/durability.ts'
import { openWriter } from '../../../engine/storage/sqlite/database.ts'
import { temporaryFolder } from '../../support/engines.ts'

describe('the writer’s connection', () => {
  it.each<[Durability, number]>([
    ['memory', 1],
    ['process', 1],
    // FULL: each commit is fsynced.
    ['disk', 2],
  ])('with durability %s has synchronous = %i, and overwrites what is deleted', (durability, synchronous) => {
    const db = openWriter(temporaryFolder(), durability)
    expect(db.pragma('synchronous', { simple: true })).toBe(synchronous) // DUR-1
    expect(db.pragma('secure_delete', { simple: true })).toBe(1) // PRV-3
    db.close()
  })
})
