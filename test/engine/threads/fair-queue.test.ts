import { expect, it } from 'vitest'
import { FairQueue } from '../../../engine/threads/fair-queue.ts'

// INP-2
it('serves users in turn, each in their own order', () => {
  const queue = new FairQueue<string>()
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.push(name.charAt(0), name)
  const served = [queue.shift()]
  queue.push('d', 'd1')
  while (!queue.isEmpty) served.push(queue.shift())
  expect(served).toEqual(['a1', 'b1', 'c1', 'a2', 'd1', 'b2', 'a3'])
  expect(queue.shift()).toBeUndefined()
})
