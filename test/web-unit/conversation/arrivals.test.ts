/**
 * Announcements: each message that arrives once, and nothing that was there before.
 */
import { describe, expect, test } from 'vitest'
import { Arrivals, announcementsOf } from '../../../web/conversation/list/arrivals.ts'
import { aMessage } from './items.ts'

const seqs = (arrived: ReturnType<Arrivals['take']>) => arrived.map((item) => item.seq)

describe('arrivals', () => {
  test('are announced once, with none of what was there when the group was opened', () => {
    const arrivals = new Arrivals()
    expect(seqs(arrivals.take([aMessage(1), aMessage(2)], aMessage(2)))).toEqual([])
    expect(seqs(arrivals.take([aMessage(1), aMessage(2), aMessage(3)], aMessage(3)))).toEqual([3])
    expect(seqs(arrivals.take([aMessage(1), aMessage(2), aMessage(3)], aMessage(3)))).toEqual([])
  })

  test('are neither older pages nor places that were jumped to', () => {
    const arrivals = new Arrivals()
    arrivals.take([aMessage(50), aMessage(51)], aMessage(51))
    expect(
      seqs(arrivals.take([aMessage(48), aMessage(49), aMessage(50), aMessage(51)], aMessage(51))),
    ).toEqual([])
    expect(seqs(arrivals.take([aMessage(10), aMessage(11)], aMessage(51)))).toEqual([])
    expect(seqs(arrivals.take([aMessage(50), aMessage(51)], aMessage(51)))).toEqual([])
  })

  test('are announced also while the window is elsewhere', () => {
    const arrivals = new Arrivals()
    arrivals.take([aMessage(51)], aMessage(51))
    arrivals.take([aMessage(10)], aMessage(51))
    expect(seqs(arrivals.take([aMessage(10)], aMessage(52)))).toEqual([52])
    expect(seqs(arrivals.take([aMessage(51), aMessage(52), aMessage(53)], aMessage(53)))).toEqual([53])
  })

  test('are not what the user sends, in any state, nor what was deleted before it was shown', () => {
    const arrivals = new Arrivals()
    arrivals.take([aMessage(1)], aMessage(1))
    const pending = aMessage(0, {
      key: 'p',
      seq: undefined,
      messageId: undefined,
      mine: true,
      state: 'pending',
    })
    expect(seqs(arrivals.take([aMessage(1), pending], pending))).toEqual([])
    expect(
      seqs(arrivals.take([aMessage(1), aMessage(2, { mine: true })], aMessage(2, { mine: true }))),
    ).toEqual([])
    expect(seqs(arrivals.take([aMessage(3, { deletedAt: 1 })], aMessage(3, { deletedAt: 1 })))).toEqual([])
  })

  test('of an empty group begin with its first message', () => {
    const arrivals = new Arrivals()
    arrivals.take([], undefined, true)
    expect(seqs(arrivals.take([aMessage(1)], aMessage(1)))).toEqual([1])
    expect(seqs(arrivals.take([aMessage(1), aMessage(2)], aMessage(2)))).toEqual([2])
  })

  test('are not what is loaded first, after the group was opened', () => {
    const arrivals = new Arrivals()
    arrivals.take([], undefined)
    expect(seqs(arrivals.take([aMessage(1)], aMessage(1)))).toEqual([])
    expect(seqs(arrivals.take([aMessage(1), aMessage(2)], aMessage(2)))).toEqual([2])
  })

  test('of many at one time are announced as a number', () => {
    const one = (item: { content: string }) => item.content
    const many = (count: number) => `${count} new messages`
    const list = [1, 2, 3, 4].map((seq) => aMessage(seq))
    expect(announcementsOf(list.slice(0, 2), one, many)).toEqual(['text 1', 'text 2'])
    expect(announcementsOf(list, one, many)).toEqual(['4 new messages'])
  })
})
