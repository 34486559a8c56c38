import { expect, it } from 'vitest'
import { HeldBytes } from '../../server/held-bytes.ts'

// INP-2
it('held bytes are limited in total, and to a quarter for each owner', () => {
  const held = new HeldBytes(100)
  expect([held.add(20, 'ana'), held.add(5, 'ana'), held.add(1, 'ana')]).toEqual([true, true, false])
  expect([held.add(25, 'ben'), held.add(50), held.add(1, 'carla')]).toEqual([true, true, false])
  held.remove(10, 'ana')
  expect([held.add(11, 'ana'), held.add(10, 'ana'), held.add(1)]).toEqual([false, true, false])
  held.remove(25, 'ana')
  expect(held.add(25, 'ana')).toBe(true)
})
