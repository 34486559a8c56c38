import { describe, expect, it } from 'vitest'
import type { Effects } from '../../../engine/actors/effects.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { getHistory } from '../../../engine/actors/group/history.ts'
import { RecentEvents } from '../../../engine/actors/group/recent-events.ts'
import type { LoggedEvent } from '../../../engine/stored/stored-group.ts'
import { encodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import { aGroup, aPost, by, given, only, snapshot } from '../../support/groups.ts'
import { refusal } from '../../support/sessions.ts'

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const post = (seq: number, content?: string): LoggedEvent => ({ seq, message: aPost(seq, content) })
const gap = (seq: number, from: number, to: number): LoggedEvent => ({
  seq,
  code: events.gap.code,
  frame: encodeEvent('gap', 0, { groupId: 'g', seq, from, to }),
})
const joined = (seq: number): LoggedEvent => ({
  seq,
  code: events.user_joined_group.code,
  frame: encodeEvent('user_joined_group', 0, { userId: 'eva', userName: 'Eva', groupId: 'g', seq }),
})

/** A group with these events in memory, and no others if `complete`. */
function aGroupWith(recent: readonly LoggedEvent[], complete: boolean): GroupState {
  const group = aGroup({ ana: 'admin' })
  const last = recent.at(-1)?.seq ?? 0
  group.lastSeq = last
  group.publishedSeq = last
  return { ...group, recent: new RecentEvents(recent, complete) }
}

const ask = (group: GroupState, fields: { before?: number; after?: number; limit?: number } = {}) =>
  getHistory(group, by('ana'), { groupId: 'g', ...fields } as never, 0)

/** The page in the answer: the message numbers, whether there are more, and the gaps among them. */
function pageOf(effects: Effects) {
  const { event, to } = only(effects, 'answer')
  if (event.name !== 'history') throw new Error('no history')
  expect(to).toEqual(by('ana'))
  const { messages, hasMore, gaps } = event.fields
  return { seqs: messages.map(({ seq }) => seq), hasMore, gaps: gaps?.map(({ seq }) => seq) }
}

describe('get_history from memory', () => {
  const group = () => aGroupWith([post(1), joined(2), post(3), post(4), gap(8, 5, 7), post(9)], true)

  it('returns the newest posts, ascending, without other events', () => {
    expect(pageOf(ask(group()))).toEqual({ seqs: [1, 3, 4, 9], hasMore: false, gaps: [8] })
    expect(pageOf(ask(group(), { limit: 2 }))).toEqual({ seqs: [4, 9], hasMore: true, gaps: [8] })
    expect(pageOf(ask(group(), { limit: 1 }))).toEqual({ seqs: [9], hasMore: true, gaps: undefined })
  })

  it('treats `before` and `after` as exclusive, and reads upwards from `after`', () => {
    expect(pageOf(ask(group(), { before: 4 })).seqs).toEqual([1, 3])
    expect(pageOf(ask(group(), { after: 1, limit: 2 }))).toEqual({
      seqs: [3, 4],
      hasMore: true,
      gaps: undefined,
    })
    expect(pageOf(ask(group(), { after: 4 }))).toEqual({ seqs: [9], hasMore: false, gaps: [8] })
    expect(pageOf(ask(group(), { after: 1, before: 9 }))).toEqual({
      seqs: [3, 4],
      hasMore: false,
      gaps: [8],
    })
    expect(pageOf(ask(group(), { after: 9 }))).toEqual({ seqs: [], hasMore: false, gaps: undefined })
    expect(pageOf(ask(group(), { after: 7, before: 3 })).seqs).toEqual([])
  })

  it('returns nothing that members have not been shown yet', () => {
    const held = group()
    held.publishedSeq = 4
    expect(pageOf(ask(held))).toEqual({ seqs: [1, 3, 4], hasMore: false, gaps: undefined })
  })

  it('lists each gap on one page, in both directions', () => {
    const down = [pageOf(ask(group(), { limit: 1 }))]
    for (let page = down[0]; page?.hasMore; page = down.at(-1)) {
      down.push(pageOf(ask(group(), { before: page.seqs[0] as number, limit: 1 })))
    }
    expect(down.flatMap(({ seqs }) => seqs)).toEqual([9, 4, 3, 1])
    expect(down.flatMap(({ gaps }) => gaps ?? [])).toEqual([8])
    const up = [pageOf(ask(group(), { after: 0, limit: 1 }))]
    for (let page = up[0]; page?.hasMore; page = up.at(-1)) {
      up.push(pageOf(ask(group(), { after: page.seqs.at(-1) as number, limit: 1 })))
    }
    expect(up.flatMap(({ seqs }) => seqs)).toEqual([1, 3, 4, 9])
    expect(up.flatMap(({ gaps }) => gaps ?? [])).toEqual([8])
  })

  it('ends a page before it is too large for one answer, and reports that there is more', () => {
    const large = aGroupWith(
      numbers(1, 30).map((seq) => post(seq, 'x'.repeat(limits.contentBytes))),
      true,
    )
    // SLW-1: six messages of more than 32 KiB fit into 256 KiB with everything around them.
    expect(pageOf(ask(large))).toMatchObject({ seqs: numbers(25, 30), hasMore: true })
    expect(pageOf(ask(large, { after: 4 }))).toMatchObject({ seqs: numbers(5, 10), hasMore: true })
    expect(pageOf(ask(large, { limit: 1 })).seqs).toEqual([30])
  })

  it('visits only the events that it returns', () => {
    const group = aGroupWith(
      numbers(1, 200).map((seq) => post(seq)),
      true,
    )
    let lookedAt = 0
    const walk = group.recent.walk.bind(group.recent)
    group.recent.walk = function* (...range) {
      for (const event of walk(...range)) {
        lookedAt += 1
        yield event
      }
    }
    expect(pageOf(ask(group, { limit: 10 }))).toMatchObject({ seqs: numbers(191, 200), hasMore: true })
    expect(pageOf(ask(group, { limit: 10, after: 20 }))).toMatchObject({ seqs: numbers(21, 30) })
    expect(lookedAt).toBe(2 * 11)
  })

  it('is allowed to members only, and changes nothing', () => {
    const before = snapshot(group())
    const asked = group()
    expect(() => getHistory(asked, by('eva'), { groupId: 'g' } as never, 0)).toThrow(
      expect.objectContaining(refusal('not_found')),
    )
    ask(asked)
    expect(snapshot(asked)).toEqual(before)
  })
})

describe('get_history over memory and log', () => {
  /** Posts 101 to 110 are in memory, older ones are in the log. */
  const group = () =>
    aGroupWith(
      numbers(101, 110).map((seq) => post(seq)),
      false,
    )
  const logged = (from: number, to: number, gaps: readonly object[] = []) => ({
    messages: numbers(from, to).map((seq) => aPost(seq)),
    gaps,
  })

  it('reads nothing if memory has the whole page and one more post', () => {
    expect(pageOf(ask(group(), { limit: 9 }))).toMatchObject({ seqs: numbers(102, 110), hasMore: true })
    expect(pageOf(ask(group(), { after: 100, limit: 20 }))).toMatchObject({ seqs: numbers(101, 110) })
  })

  it('reads the rest of the newest page, and one more, from below the beginning of memory', () => {
    const effects = ask(group(), { limit: 12 })
    expect(only(effects, 'read')).toMatchObject({
      query: {
        read: 'messages',
        groupId: 'g',
        after: 0,
        before: 101,
        limit: 3,
        newest: true,
      },
      to: by('ana'),
    })
    expect(pageOf(given(effects, logged(98, 100)))).toMatchObject({ seqs: numbers(99, 110), hasMore: true })
    expect(pageOf(given(effects, logged(99, 100)))).toMatchObject({ seqs: numbers(99, 110), hasMore: false })
  })

  it('reads a whole page upwards, and continues in memory if the log had less', () => {
    const effects = ask(group(), { after: 90, limit: 12 })
    expect(only(effects, 'read').query).toMatchObject({ after: 90, before: 101, limit: 13, newest: false })
    expect(pageOf(given(effects, logged(91, 100)))).toMatchObject({ seqs: numbers(91, 102), hasMore: true })
    const low = ask(group(), { after: 50, limit: 12 })
    expect(pageOf(given(low, logged(51, 63)))).toMatchObject({ seqs: numbers(51, 62), hasMore: true })
  })

  it('reads the log only up to `before`', () => {
    const effects = ask(group(), { before: 60, limit: 5 })
    expect(only(effects, 'read').query).toMatchObject({ after: 0, before: 60, limit: 6, newest: true })
    expect(pageOf(given(effects, logged(54, 59)))).toMatchObject({ seqs: numbers(55, 59), hasMore: true })
  })

  it('returns only those gaps of the log that are inside the page', () => {
    const effects = ask(group(), { limit: 12 })
    const page = given(effects, logged(98, 100, [{ seq: 97, from: 90, to: 96 }]))
    expect(pageOf(page).gaps).toBeUndefined()
    const inside = given(ask(group(), { limit: 50 }), logged(98, 100, [{ seq: 97, from: 90, to: 96 }]))
    expect(pageOf(inside)).toEqual({ seqs: numbers(98, 110), hasMore: false, gaps: [97] })
  })

  it('has fifty messages on a page by default', () => {
    expect(only(ask(group()), 'read').query).toMatchObject({ limit: limits.historyPageDefault + 1 - 10 })
  })
})
