import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addAll,
  addReceipts,
  firstWithout,
  type NothingBetween,
  packRanges,
  type Range,
  type Ranges,
  timeOf,
  unpackRanges,
} from '../../../engine/actors/group/ranges.ts'

const touching: NothingBetween = (a, b) => b === a + 1
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const brief = (ranges: Ranges) => ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`))

/** Single receipts: [seq, at]. */
function given(receipts: readonly (readonly [number, number])[], nothingBetween = touching): Ranges {
  const ranges: Range[] = []
  for (const [seq, at] of receipts) addReceipts(ranges, [seq], at, nothingBetween)
  return ranges
}

describe('ranges', () => {
  it('store the receipts of a user who reads message after message in a few bytes', () => {
    const seconds = given(numbers(1, 10_000).map((seq) => [seq, 1_700_000_000_000 + seq * 1_000] as const))
    expect(seconds.length).toBeLessThanOrEqual(64)
    expect(packRanges(seconds).length).toBeLessThan(400)
    const atOnce: Range[] = []
    addReceipts(atOnce, numbers(1, 10_000), 1_700_000_000_000, touching)
    expect(brief(atOnce)).toEqual(['1-10000'])
    expect(packRanges(atOnce).length).toBeLessThan(12)
  })

  it('are unchanged if nothing is new', () => {
    const ranges = given([
      [1, 0],
      [1, 99],
    ])
    expect(ranges).toEqual([{ from: 1, to: 1, at: 0 }])
    expect(timeOf(ranges, 1)).toBe(0)
  })

  it('include numbers that need no receipt, and stop at one that does', () => {
    const free = new Set([2, 3, 6])
    const between: NothingBetween = (a, b) => numbers(a + 1, b - 1).every((seq) => free.has(seq))
    const receipts = [1, 4, 7, 9].map((seq) => [seq, seq] as const)
    expect(brief(given(receipts, between))).toEqual(['1-4', '7', '9'])
    expect(brief(given([...receipts].reverse(), between))).toEqual(['1-4', '7', '9'])
  })

  it('start a new range after a minute, next to the previous one', () => {
    const between: NothingBetween = () => true
    const ranges = given(
      [
        [1, 0],
        [2, 60_000],
        [5, 60_001],
        [6, 90_000],
      ],
      between,
    )
    expect(ranges).toEqual([
      { from: 1, to: 2, at: 0 },
      { from: 3, to: 6, at: 60_001 },
    ])
  })

  it('that touch are merged when there are many, the oldest first, with the later time', () => {
    const ranges = given(numbers(1, 66).map((seq) => [seq, seq * 100_000] as const))
    expect(ranges.length).toBe(64)
    expect(ranges[0]).toEqual({ from: 1, to: 3, at: 300_000 })
  })

  // RCP-1
  it('never contain a receipt that was not given: above 4,096 the oldest are dropped', () => {
    const every = (count: number) => given(numbers(1, count).map((i) => [i * 2, i] as const))
    const ranges = every(4_097)
    expect(ranges.length).toBe(4_096)
    const claimed = numbers(1, 8_195).filter((seq) => timeOf(ranges, seq) !== undefined)
    expect(claimed).toEqual(numbers(2, 4_097).map((i) => i * 2))
  })

  it('equal a plain map of numbers to times', () => {
    const step = fc.record({
      seqs: fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 20 }),
      passes: fc.integer({ min: 0, max: 90_000 }),
      upTo: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 20, max: 100 })),
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 300 })),
        (steps, notOwed) => {
          const free = new Set(notOwed)
          const between: NothingBetween = (a, b) => numbers(a + 1, b - 1).every((seq) => free.has(seq))
          const times = new Map<number, number>()
          const ranges: Range[] = []
          let at = 1_700_000_000_000
          for (const { seqs, passes, upTo } of steps) {
            at += passes
            const owed = seqs.filter((seq) => !free.has(seq)).sort((a, b) => a - b)
            for (const seq of owed) if (!times.has(seq)) times.set(seq, at)
            addReceipts(ranges, owed, at, between)
            if (!upTo) continue
            expect(firstWithout(ranges, 20)).toBe(numbers(20, 400).find((seq) => !timeOf(ranges, seq)))
            addAll(ranges, 20, upTo, at)
            for (const seq of numbers(20, upTo)) if (!times.has(seq) && !free.has(seq)) times.set(seq, at)
          }
          for (const seq of numbers(1, 300)) {
            if (free.has(seq)) continue
            expect(timeOf(ranges, seq) !== undefined, `${seq}`).toBe(times.has(seq))
          }
          // The time is later only if many ranges were merged.
          if (ranges.length < 64) {
            for (const [seq, time] of times) {
              expect(Math.abs((timeOf(ranges, seq) as number) - time)).toBeLessThanOrEqual(60_000)
            }
          }
          for (const [i, range] of ranges.entries()) {
            expect(range.from).toBeLessThanOrEqual(range.to)
            expect(range.from).toBeGreaterThan(ranges[i - 1]?.to ?? 0)
          }
          expect(unpackRanges(packRanges(ranges))).toEqual(ranges)
        },
      ),
      { seed: 5, numRuns: 200 },
    )
  })

  it('are unchanged by packing, even if the time went backwards', () => {
    const ranges = [
      { from: 1, to: 1, at: 1_700_000_000_000 },
      { from: 127, to: 999_999_999_999, at: 5 },
      { from: 1_000_000_000_001, to: 1_000_000_000_002, at: 1_900_000_000_000 },
    ]
    expect(unpackRanges(packRanges(ranges))).toEqual(ranges)
    expect(unpackRanges(packRanges([]))).toEqual([])
    expect(unpackRanges(null)).toEqual([])
  })
})
