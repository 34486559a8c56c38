import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecentEvents } from '../../../engine/actors/group/recent-events.ts'
import type { LoggedEvent } from '../../../engine/stored/stored-group.ts'

const event = (seq: number): LoggedEvent => ({ seq, code: 79, frame: new Uint8Array(0) })

describe('recent events', () => {
  it('hold everything from their floor on, and drop only what is committed', () => {
    // A number of events, the step of their numbers, and how many events are uncommitted afterwards.
    const stretch = fc.record({
      events: fc.integer({ min: 1, max: 700 }),
      jump: fc.integer({ min: 1, max: 3 }),
      uncommitted: fc.integer({ min: 0, max: 900 }),
    })
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 1, maxLength: 5, size: 'max' }), (stretches) => {
        const recent = new RecentEvents([], true)
        const all: number[] = []
        let committed = 0
        for (const { events, jump, uncommitted } of stretches) {
          for (let i = 0; i < events; i++) {
            all.push((all.at(-1) ?? 0) + jump)
            recent.push(event(all.at(-1) as number), all.length, committed)
            const dropped = all.findIndex((seq) => seq >= recent.floor)
            if (dropped > committed) throw new Error(`${dropped} are dropped, ${committed} are committed`)
            // More than 512 are in memory only while the older half of them is not committed.
            if (all.length - dropped >= 512) expect(committed).toBeLessThan(all.length - 256)
          }
          committed = Math.max(committed, all.length - uncommitted)
        }
        const { floor } = recent
        const retained = all.filter((seq) => seq >= floor)
        expect(recent.range(floor - 1, Number.MAX_SAFE_INTEGER, 10_000).map(({ seq }) => seq)).toEqual(
          retained,
        )
        for (const seq of [floor - 1, floor, all.at(-1) ?? 0, (all.at(-1) ?? 0) + 1]) {
          expect(recent.find(seq)?.seq).toBe(retained.includes(seq) ? seq : undefined)
        }
        const [after, upTo] = [floor + 1, Math.floor((floor + (all.at(-1) ?? 0)) / 2)]
        expect(recent.range(after, upTo, 100).map(({ seq }) => seq)).toEqual(
          retained.filter((seq) => seq > after && seq <= upTo).slice(0, 100),
        )
      }),
      { seed: 5, numRuns: 60 },
    )
  })

  it('return the range that is requested', () => {
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
