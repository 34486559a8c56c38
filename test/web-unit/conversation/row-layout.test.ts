/**
 * Layout of rows: positions follow keys, whatever is added or removed around them.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RowLayout } from '../../../web/conversation/list/row-layout.ts'

test('places rows by their measured heights, and by estimates', () => {
  const layout = new RowLayout()
  layout.setKeys(['a', 'b', 'c'])
  const estimate = layout.height(0)
  expect(layout.top(3)).toBe(3 * estimate)
  layout.measure('b', 100)
  expect([layout.top(1), layout.top(2), layout.top(3)]).toEqual([
    estimate,
    estimate + 100,
    2 * estimate + 100,
  ])
})

test('retains heights when rows are added before, removed, and return', () => {
  const layout = new RowLayout()
  layout.setKeys(['b', 'c'])
  layout.measure('b', 10)
  layout.measure('c', 20)
  layout.setKeys(['a', 'b', 'c'])
  expect([layout.height(1), layout.height(2)]).toEqual([10, 20])
  layout.setKeys(['c'])
  layout.setKeys(['b', 'c'])
  expect([layout.height(0), layout.height(1)]).toEqual([10, 20])
  expect(layout.indexOf('a')).toBe(-1)
})

test('finds the rows that a part of the list touches', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 0, max: 5_000 }),
      fc.integer({ min: 1, max: 500 }),
      (heights, from, size) => {
        const layout = new RowLayout()
        layout.setKeys(heights.map((_, i) => `${i}`))
        for (const [i, height] of heights.entries()) layout.measure(`${i}`, height)
        const range = layout.range(from, from + size)
        const touched = heights.flatMap((height, i) =>
          layout.top(i) <= from + size && layout.top(i) + height > from ? [i] : [],
        )
        for (const i of touched) expect(i >= range.from && i < range.to).toBe(true)
        expect(range.to - range.from).toBeLessThanOrEqual(Math.max(1, touched.length))
      },
    ),
  )
})
