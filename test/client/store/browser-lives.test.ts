import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../support/engines.ts'
import { useIndexedDb } from '../../support/indexed-db.ts'
import { BrowserLife } from './browser-life.ts'

/** `LIVES=300` runs more; `SEED=7` repeats one. */
const { SEED, LIVES = '40' } = process.env as Readonly<Record<string, string | undefined>>
const seeds =
  SEED === undefined ? Array.from({ length: Number(LIVES) }, (_, index) => index + 1) : [Number(SEED)]

describe('the tabs of a user', () => {
  it.each(seeds)('show and send everything once, in the life of seed %i', async (seed) => {
    const faults = await BrowserLife.run(seed, temporaryFolder(), useIndexedDb())
    expect(faults.join('\n')).toBe('')
  })
})
