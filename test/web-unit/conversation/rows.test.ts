/**
 * Rows of a window: day marks, groups of messages, the line before unread messages.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WindowView } from '../../../client/store/types.ts'
import { GROUP_MS, type MessageRow, rowsOf } from '../../../web/conversation/list/rows.ts'
import { aMessage, aWindow, MINUTE, NOON } from './items.ts'

const DAY = 24 * 60 * MINUTE
const kinds = (view: WindowView) => rowsOf(view).map((row) => row.kind)
const groups = (view: WindowView) =>
  rowsOf(view).flatMap((row) =>
    row.kind === 'message' ? [`${row.isFirst ? '<' : ''}${row.key}${row.isLast ? '>' : ''}`] : [],
  )

describe('rows of a window', () => {
  test('begin with the start of the conversation, or with a row that stands for older messages', () => {
    expect(kinds(aWindow([]))).toEqual(['start'])
    expect(kinds(aWindow([aMessage(1)], { hasOlder: true, hasNewer: true }))).toEqual([
      'loading',
      'day',
      'message',
      'loading',
    ])
  })

  test('do not begin with the start of a conversation of which nothing is loaded', () => {
    const pending = aMessage(1, { seq: undefined, state: 'pending' })
    expect(kinds(aWindow([], { isLoaded: false }))).toEqual(['loading'])
    expect(kinds(aWindow([pending], { isLoaded: false }))).toEqual(['loading', 'day', 'message'])
  })

  test('have one mark for each day', () => {
    const items = [
      aMessage(1),
      aMessage(2),
      aMessage(3, { createdAt: NOON + DAY }),
      aMessage(4, { createdAt: NOON + DAY }),
    ]
    expect(kinds(aWindow(items))).toEqual(['start', 'day', 'message', 'message', 'day', 'message', 'message'])
  })

  test('have no mark of a day for a crash of the server, whose time is not known', () => {
    const lost = { kind: 'notice', key: 'n', seq: 2, at: 0, what: 'lost' } as const
    expect(kinds(aWindow([aMessage(1), lost, aMessage(3)]))).toEqual([
      'start',
      'day',
      'message',
      'notice',
      'message',
    ])
  })

  test('group the messages of one sender that follow each other within minutes', () => {
    const rui = { userId: 'rui', name: 'Rui' }
    const items = [
      aMessage(1),
      aMessage(2),
      aMessage(3, { sender: rui }),
      aMessage(4, { sender: rui, createdAt: NOON + 3 * MINUTE + GROUP_MS }),
      aMessage(5, { sender: rui, createdAt: NOON + 3 * MINUTE + 2 * GROUP_MS + 1 }),
    ]
    expect(groups(aWindow(items))).toEqual(['<m1', 'm2>', '<m3', 'm4>', '<m5>'])
  })

  test('end a group at a notice, a hole and the line before unread messages', () => {
    const notice = { kind: 'notice', key: 'n', seq: 2, at: NOON + 2 * MINUTE, what: 'joined' } as const
    const hole = { kind: 'hole', key: 'h', from: 4, to: 9 } as const
    const view = aWindow([aMessage(1), notice, aMessage(3), hole, aMessage(10), aMessage(11)], {
      firstUnreadSeq: 11,
    })
    expect(kinds(view)).toEqual([
      'start',
      'day',
      'message',
      'notice',
      'message',
      'hole',
      'message',
      'unread',
      'message',
    ])
    expect(groups(view)).toEqual(['<m1>', '<m3>', '<m10>', '<m11>'])
  })

  test('show the unread line once, also if its message was removed', () => {
    const view = aWindow([aMessage(1), aMessage(4), aMessage(5)], { firstUnreadSeq: 3 })
    expect(kinds(view)).toEqual(['start', 'day', 'message', 'unread', 'message', 'message'])
  })

  test('have unique keys, and retain those of the items', () => {
    const item = fc.record({
      sender: fc.constantFrom('ana', 'rui'),
      hours: fc.integer({ min: -50, max: 50 }),
    })
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), fc.option(fc.nat(40)), (list, firstUnreadSeq) => {
        const items = list.map(({ sender, hours }, i) =>
          aMessage(i + 1, {
            sender: { userId: sender, name: sender },
            createdAt: NOON + hours * 60 * MINUTE,
          }),
        )
        const rows = rowsOf(aWindow(items, { firstUnreadSeq }))
        expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length)
        const shown = rows.filter((row): row is MessageRow => row.kind === 'message')
        expect(shown.map((row) => row.item)).toEqual(items)
        // Each group has one first and one last message.
        let isOpen = false
        for (const row of shown) {
          expect(row.isFirst).toBe(!isOpen)
          isOpen = !row.isLast
        }
        expect(isOpen).toBe(false)
      }),
    )
  })
})
