import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecentEvents } from '../../../engine/actors/group/recent-events.ts'
import type { LoggedEvent } from '../../../engine/storage/log.ts'

const event = (seq: number): LoggedEvent => ({ seq, code: 79, frame: new Uint8Array(0) })

describe('recent events', () => {
  it('hold everything from their floor on, and let go only of what is committed', () => {
    // Each step: how far the number jumps, and how many events behind the commits are.
    const step = fc.record({ jump: fc.integer({ min: 1, max: 3 }), behind: fc.integer({ min: 0, max: 900 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_500 }), (steps) => {
        const recent = new RecentEvents([], true)
        const all: number[] = []
        const offsets: number[] = []
        let committed = 0
        for (const [i, { jump, behind }] of steps.entries()) {
          all.push((all.at(-1) ?? 0) + jump)
          offsets.push(i + 1)
          committed = Math.max(committed, i - behind)
          recent.push(event(all.at(-1) as number), i + 1, committed)
        }
        const { floor } = recent
        const kept = all.filter((seq) => seq >= floor)
        expect(recent.range(floor - 1, Number.MAX_SAFE_INTEGER, 10_000).map(({ seq }) => seq)).toEqual(kept)
        // What went is committed; what is committed and old goes.
        expect(all.filter((seq, i) => seq < floor && (offsets[i] as number) > committed)).toEqual([])
        expect(kept.length).toBeLessThan(512 + 900)
        for (const seq of [floor - 1, floor, (all.at(-1) ?? 0) + 1]) {
          expect(recent.find(seq)?.seq).toBe(kept.includes(seq) ? seq : undefined)
        }
      }),
      { seed: 5, numRuns: 40 },
    )
  })

  it('give the part that is asked for', () => {
    const recent = new RecentEvents([2, 3, 7, 9].map(event), true)
    const range = (after: number, upTo: number, limit: number) =>
      recent.range(after, upTo, limit).map(({ seq }) => seq)
    expect(range(0, 9, 10)).toEqual([2, 3, 7, 9])
    expect(range(2, 7, 10)).toEqual([3, 7])
    expect(range(3, 6, 10)).toEqual([])
    expect(range(0, 9, 2)).toEqual([2, 3])
    expect(recent.floor).toBe(1)
    expect(new RecentEvents([2, 3].map(event), false).floor).toBe(2)
  })
})
