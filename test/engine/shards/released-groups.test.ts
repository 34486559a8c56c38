import { describe, expect, it } from 'vitest'
import { ReleasedGroups } from '../../../engine/shards/released-groups.ts'

// INP-2
describe('released groups', () => {
  it('may have changed since a time if they were released at that time or later', () => {
    const released = new ReleasedGroups()
    released.add('g', 1_000)
    expect([999, 1_000, 1_001].map((since) => released.maybeSince('g', since))).toEqual([true, true, false])
    expect(released.maybeSince('h', 0)).toBe(false)
    released.add('g', 2_000)
    expect(released.maybeSince('g', 1_001)).toBe(true)
  })

  it('are remembered for a minute; before that, every group counts as changed', () => {
    const released = new ReleasedGroups()
    released.add('g', 1_000)
    released.add('h', 61_000)
    expect(released.size).toBe(1)
    expect([1_000, 1_001].map((since) => released.maybeSince('any', since))).toEqual([true, false])
  })

  it('are bounded; when one is dropped, all older times count as changed', () => {
    const released = new ReleasedGroups(2)
    for (const [i, id] of ['a', 'b', 'c'].entries()) released.add(id, i)
    expect(released.size).toBe(2)
    expect([0, 1].map((since) => released.maybeSince('other', since))).toEqual([true, false])
    expect([1, 2].map((since) => released.maybeSince('b', since))).toEqual([true, false])
  })
})
