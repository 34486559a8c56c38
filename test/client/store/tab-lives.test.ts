/**
 * Seeded lives of tabs. `LIVES=300 npx vitest run test/client/store/tab-lives.test.ts` runs more of them,
 * `SEED=17` a single one.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../protocol/limits.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { useIndexedDb } from '../../support/indexed-db.ts'
import { TabLife } from './tab-life.ts'

const count = Number(process.env['LIVES'] ?? 3)
const one = process.env['SEED']
const seeds = one === undefined ? Array.from({ length: count }, (_, at) => at + 1) : [Number(one)]
const { resumeEvents } = limits

// So that a life can miss more than `resume` replays.
beforeEach(() => void Object.assign(limits, { resumeEvents: 25 }))
afterEach(() => void Object.assign(limits, { resumeEvents }))

describe.each([1, 2])('with %i tabs', (tabs) => {
  it.each(seeds)('shows what the server has, and loses nothing: seed %i', async (seed) => {
    useIndexedDb()
    const life = new TabLife(seed, temporaryFolder(), tabs)
    const { shown, server, sent, stored, drafts, expectedDrafts } = await life.run()
    if (one !== undefined) process.stdout.write(`${life.log.join(', ')}\n`)
    expect(shown).toEqual(server)
    expect(drafts).toEqual(expectedDrafts)
    expect([...stored].sort()).toEqual([...sent].sort())
  })
})
