import { expect, it } from 'vitest'
import { BusiestGroups } from '../../../server/metrics/busiest-groups.ts'
import { Meters } from '../../../server/metrics/meters.ts'

it('orders groups by their messages, and forgets those of earlier windows', () => {
  const busiest = new BusiestGroups(0)
  for (let i = 0; i < 3; i++) busiest.count('g:b')
  busiest.count('g:a')
  expect(busiest.figures(1_000, 10)).toEqual({
    overMs: 1_000,
    groups: [
      { groupId: 'b', messages: 3 },
      { groupId: 'a', messages: 1 },
    ],
  })
  expect(busiest.figures(10_000, 1).groups).toEqual([{ groupId: 'b', messages: 3 }])
  busiest.count('g:a')
  expect(busiest.figures(15_000, 10).groups).toHaveLength(2)
  expect(busiest.figures(20_000, 10)).toEqual({ overMs: 10_000, groups: [{ groupId: 'a', messages: 1 }] })
})

it('counts no more than its limit of groups in a window', () => {
  const busiest = new BusiestGroups(0)
  for (let i = 0; i < 10_001; i++) busiest.count(`g:${i}`)
  expect(busiest.figures(0, 20_000).groups).toHaveLength(10_000)
})

it('exists only while a dashboard reads', () => {
  const meters = new Meters(0)
  meters.published('g:a')
  expect(meters.countsGroups).toBe(false)
  meters.busiestGroups(1_000)
  meters.published('g:a')
  meters.sample(16_000)
  expect(meters.busiestGroups(16_000).figures(16_000, 10).groups).toEqual([{ groupId: 'a', messages: 1 }])
  meters.sample(31_001)
  expect(meters.countsGroups).toBe(false)
})
