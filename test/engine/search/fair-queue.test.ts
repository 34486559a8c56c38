import { expect, it } from 'vitest'
import { FairQueue } from '../../../engine/search/fair-queue.ts'

// INP-2
it('serves users in turn, each in their own order, one task a turn', () => {
  const turns: (() => void)[] = []
  const queue = new FairQueue((task) => turns.push(task))
  const done: string[] = []
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) {
    queue.push(name.charAt(0), () => done.push(name))
  }
  turns.shift()?.()
  expect(done).toEqual(['a1'])
  queue.push('d', () => done.push('d1'))
  for (let turn = turns.shift(); turn; turn = turns.shift()) turn()
  expect(done).toEqual(['a1', 'b1', 'c1', 'a2', 'd1', 'b2', 'a3'])
  queue.push('e', () => done.push('e1'))
  turns.shift()?.()
  expect(done.at(-1)).toBe('e1')
})
