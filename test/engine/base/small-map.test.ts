import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SmallMap } from '../../../engine/base/small-map.ts'
import '../../support/fixed-seed.ts'

describe('a small map', () => {
  it('is like a Map, with few entries and with many', () => {
    const key = fc.constantFrom(...Array.from({ length: 14 }, (_, i) => `k${i}`))
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.tuple(fc.constant('set' as const), key, fc.nat()) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('delete' as const), key, fc.nat()) },
    )
    fc.assert(
      fc.property(fc.array(step, { size: '+1' }), (steps) => {
        const [small, map] = [new SmallMap<string, number>(), new Map<string, number>()]
        for (const [name, k, value] of steps) {
          if (name === 'delete') expect(small.delete(k)).toBe(map.delete(k))
          else {
            small.set(k, value)
            map.set(k, value)
          }
          expect([small.size, small.has(k), small.get(k)]).toEqual([map.size, map.has(k), map.get(k)])
        }
        expect([[...small], [...small.keys()]]).toEqual([[...map], [...map.keys()]])
        expect([...new SmallMap(map)]).toEqual([...map])
      }),
    )
  })
})
