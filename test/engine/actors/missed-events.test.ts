import { describe, expect, it } from 'vitest'
import type { Effects } from '../../../engine/actors/effects.ts'
import type { GroupState } from '../../../engine/actors/group/group-state.ts'
import { attach, replay } from '../../../engine/actors/group/missed-events.ts'
import { RecentEvents } from '../../../engine/actors/group/recent-events.ts'
import type { LoggedEvent } from '../../../engine/stored/stored-group.ts'
import { decodeEvent, encodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import { aGroup, aPost, brief, given, only, snapshot } from '../../support/groups.ts'

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const posts = (from: number, to: number, content?: string): readonly LoggedEvent[] =>
  numbers(from, to).map((seq) => ({ seq, message: aPost(seq, content) }))

/** A group whose newest number is `last`; posts from `floor` on are in memory, the rest in the log. */
function aGroupAt(floor: number, last: number, content?: string): GroupState {
  const group = aGroup({ ana: 'admin', bruno: 'member' })
  group.lastSeq = last
  group.publishedSeq = last
  return { ...group, recent: new RecentEvents(posts(floor, last, content), floor === 1) }
}

/** The events sent to the session, by number, and the other effects by name, in order. */
function shown(effects: Effects): readonly (number | string)[] {
  return effects.map((effect) => {
    if (effect.type !== 'send_frame') return effect.type
    expect(effect.session).toBe(5)
    const event = decodeEvent(effect.frame)
    return event?.event === 'new_message' ? event.fields.message.seq : 'no message'
  })
}

describe('attach', () => {
  const mail = (from: number, joinedSeq = 1) =>
    ({ type: 'attach', session: 5, userId: 'bruno', joinedSeq, from }) as const

  it('sends the events after `from` and subscribes the session, in one step', () => {
    expect(shown(attach(aGroupAt(1, 6), mail(3)))).toEqual([4, 5, 6, 'subscribe'])
  })

  it('only subscribes if nothing was missed, or if the session starts above the newest shown event', () => {
    expect(shown(attach(aGroupAt(1, 6), mail(6)))).toEqual(['subscribe'])
    expect(shown(attach(aGroupAt(1, 6), mail(9)))).toEqual(['subscribe'])
  })

  it('does not send events that members have not been shown yet: the session receives them live', () => {
    const group = aGroupAt(1, 6)
    group.publishedSeq = 4
    expect(shown(attach(group, mail(2)))).toEqual([3, 4, 'subscribe'])
  })

  it('sends a user who has left the events up to the leave, and no more', () => {
    const group = aGroupAt(1, 6)
    group.members.delete('bruno')
    const leaves = (seq: number, userId: string) => {
      const fields = { userId, userName: userId, groupId: 'g', seq }
      group.recent.push(
        { seq, code: events.user_left_group.code, frame: encodeEvent('user_left_group', 0, fields) },
        0,
        0,
      )
    }
    leaves(7, 'ana')
    leaves(8, 'bruno')
    leaves(9, 'clara')
    group.publishedSeq = 9
    const farewell = attach(group, mail(5)).map(
      (effect) => effect.type === 'send_frame' && decodeEvent(effect.frame),
    )
    expect(farewell).toMatchObject([
      { event: 'new_message', fields: { message: { seq: 6 } } },
      { event: 'user_left_group', fields: { seq: 7, userId: 'ana' } },
      { event: 'user_left_group', fields: { seq: 8, userId: 'bruno' } },
    ])
    // Already notified of it.
    expect(attach(group, mail(8))).toEqual([])
  })

  it('sends nothing for a membership that ended before `from`: a later one is attached separately', () => {
    const group = aGroupAt(1, 6)
    group.members.delete('bruno')
    for (const seq of [7, 9]) {
      const fields = { userId: 'bruno', userName: 'Bruno', groupId: 'g', seq }
      const frame = encodeEvent('user_left_group', 0, fields)
      group.recent.push({ seq, code: events.user_left_group.code, frame }, 0, 0)
    }
    group.publishedSeq = 9
    expect(attach(group, mail(8))).toEqual([])
    expect(shown(attach(group, mail(8, 8)))).toEqual(['no message'])
  })

  // GAP-1
  it('sends a user whose membership a crash took the gap, if it took what the session had received', () => {
    const group = aGroupAt(1, 6)
    const gap = { groupId: 'g', seq: 12, from: 7, to: 11 }
    group.recent.push({ seq: 12, code: events.gap.code, frame: encodeEvent('gap', 0, gap) }, 0, 0)
    const leave = { userId: 'clara', userName: 'Clara', groupId: 'g', seq: 13 }
    const left = { seq: 13, code: events.user_left_group.code }
    group.recent.push({ ...left, frame: encodeEvent('user_left_group', 0, leave) }, 0, 0)
    group.publishedSeq = 13
    const seqs = (effects: Effects) =>
      effects.flatMap((effect) => (effect.type === 'send_frame' ? effect.seq : []))
    expect(seqs(attach(group, { ...mail(8, 8), userId: 'eva' }))).toEqual([12])
    expect(seqs(attach(group, { ...mail(6, 6), userId: 'eva' }))).toEqual([])
    expect(seqs(attach(group, { ...mail(8, 8), userId: 'clara' }))).toEqual([12, 13])
  })

  it('sends nothing to a user who was not a member at `from`, and joined and left since', () => {
    const group = aGroupAt(1, 6)
    const member = { userId: 'eva', userName: 'Eva', groupId: 'g' }
    const joins = encodeEvent('user_joined_group', 0, { ...member, seq: 7 })
    const leaves = encodeEvent('user_left_group', 0, { ...member, seq: 8 })
    group.recent.push({ seq: 7, code: events.user_joined_group.code, frame: joins }, 0, 0)
    group.recent.push({ seq: 8, code: events.user_left_group.code, frame: leaves }, 0, 0)
    group.publishedSeq = 8
    expect(attach(group, { ...mail(5, 5), userId: 'eva' })).toEqual([])
  })

  describe('for a user who missed more than is in memory, and left', () => {
    const leaves = (seq: number): LoggedEvent => {
      const fields = { userId: 'bruno', userName: 'Bruno', groupId: 'g', seq }
      const { code } = events.user_left_group
      return { seq, code, frame: encodeEvent('user_left_group', 0, fields) }
    }
    const seqs = (effects: Effects) =>
      effects.map((effect) => (effect.type === 'send_frame' ? effect.seq : effect.type))
    const left = () => {
      const group = aGroupAt(501, 503)
      group.members.delete('bruno')
      return group
    }

    it('reads the log for the leave, then sends the events up to it', () => {
      const group = left()
      const first = attach(group, mail(100))
      expect(only(first, 'read').query).toMatchObject({ read: 'events', after: 100, upTo: 500 })
      const second = given(first, posts(101, 300))
      expect(only(second, 'read').query).toMatchObject({ after: 300, upTo: 500 })
      const found = given(second, [...posts(301, 306), leaves(307), ...posts(308, 500)])
      expect(seqs([...first, ...second, ...found])).toEqual(['read', 'read', 'read'])
      expect(only(found, 'read').query).toMatchObject({ after: 100, upTo: 307 })
      const sent = given(found, posts(101, 300))
      expect(seqs(sent)).toEqual([...numbers(101, 300), 'read'])
      const rest = given(sent, [...posts(301, 306), leaves(307)])
      expect(seqs(rest)).toEqual(numbers(301, 307))
    })

    it('sends what is in memory too, if the leave is there', () => {
      const group = left()
      group.recent.push(leaves(504), 0, 0)
      group.publishedSeq = 504
      const read = given(attach(group, mail(498)), posts(499, 500))
      expect(seqs(given(read, posts(499, 500)))).toEqual(numbers(499, 504))
    })

    it('sends nothing if the log has no leave: it was before', () => {
      expect(given(attach(left(), mail(499)), posts(500, 500))).toEqual([])
    })

    it('closes the session if the user is a member again, whose events come first', () => {
      const group = aGroupAt(501, 503)
      expect(attach(group, mail(499, 7))).toEqual([{ type: 'close', session: 5, reason: 'failed' }])
    })
  })

  it('is ignored for non-members, and for members who left and rejoined in the meantime', () => {
    const group = aGroupAt(1, 6)
    expect(attach(group, { ...mail(3), userId: 'eva' })).toEqual([])
    expect(attach(group, mail(3, 2))).toEqual([])
  })

  it('reads older events from the log, exactly up to where memory begins', () => {
    const group = aGroupAt(11, 13)
    const effects = attach(group, mail(7))
    expect(only(effects, 'read')).toMatchObject({
      query: { read: 'events', groupId: 'g', after: 7, upTo: 10 },
      to: { session: 5 },
    })
    expect(brief(effects)).toEqual(['read'])
    expect(shown(given(effects, posts(8, 10)))).toEqual([8, 9, 10, 11, 12, 13, 'subscribe'])
  })

  it('reads no log if memory begins directly after `from`', () => {
    expect(shown(attach(aGroupAt(11, 12), mail(10)))).toEqual([11, 12, 'subscribe'])
  })

  it('continues batch by batch, with what memory holds then', () => {
    const group = aGroupAt(401, 402)
    const effects = attach(group, mail(0))
    const { limit } = only(effects, 'read').query as { readonly limit: number }
    const second = given(effects, posts(1, limit))
    expect(shown(second)).toEqual([...numbers(1, limit), 'read'])
    expect(only(second, 'read').query).toMatchObject({ after: limit, upTo: 400 })
    // Another event was added while the log was read.
    group.recent.push({ seq: 403, message: aPost(403) }, 9, 9)
    group.publishedSeq = 403
    const last = given(second, posts(limit + 1, 400))
    expect(shown(last)).toEqual([...numbers(limit + 1, 403), 'subscribe'])
  })

  it('is ignored if the user left while the log was read: nothing is subscribed', () => {
    const group = aGroupAt(11, 12)
    const effects = attach(group, mail(9))
    group.members.delete('bruno')
    expect(shown(given(effects, posts(10, 10)))).toEqual([10])
  })
})

describe('replay', () => {
  const mail = (from: number, to: number) =>
    ({ type: 'replay', session: 5, userId: 'bruno', from, to, counted: false }) as const
  /** The mail to the user's actor when the replay ends. */
  const end = (effects: Effects) => only(effects, 'tell_user')
  const ended = (complete: boolean | null, lastSeq: number) => ({
    userId: 'bruno',
    mail: { type: 'replayed', session: 5, groupId: 'g', lastSeq, complete },
  })

  it('sends the events after `from` up to `to`, and reports completion when they have drained', () => {
    const group = aGroupAt(1, 9)
    const effects = replay(group, mail(3, 6))
    // INP-2
    expect(shown(effects)).toEqual([4, 5, 6, 'when_drained'])
    const { mail: next } = only(effects, 'when_drained')
    if (next.type !== 'replay') throw new Error('not a replay')
    expect(end(replay(group, next))).toMatchObject(ended(true, 6))
  })

  it('sends nothing to non-members, or if nothing was missed', () => {
    const group = aGroupAt(1, 9)
    const foreign = replay(group, { ...mail(3, 6), userId: 'eva' })
    expect(shown(foreign)).toEqual(['tell_user'])
    expect(end(foreign)).toMatchObject({ ...ended(null, 6), userId: 'eva' })
    for (const from of [6, 7]) expect(end(replay(group, mail(from, 6)))).toMatchObject(ended(true, 6))
  })

  it('sends one batch at a time, the next when the connection has drained', () => {
    const group = aGroupAt(1, 450)
    let effects = replay(group, mail(0, 450))
    const seen: (number | string)[] = []
    let pieces = 1
    while (effects.at(-1)?.type === 'when_drained') {
      const { mail: next, session, groupId } = only(effects, 'when_drained')
      expect([session, groupId]).toEqual([5, 'g'])
      if (next.type !== 'replay') throw new Error('not a replay')
      seen.push(...shown(effects.slice(0, -1)))
      effects = replay(group, next)
      pieces += 1
    }
    seen.push(...shown(effects))
    expect(seen).toEqual([...numbers(1, 450), 'tell_user'])
    expect(pieces).toBe(4)
  })

  it('ends a batch early if its frames are large', () => {
    const effects = replay(aGroupAt(1, 20, 'x'.repeat(30_000)), mail(0, 20))
    // The fifth frame is the one that fills 128 KiB.
    expect(shown(effects)).toEqual([1, 2, 3, 4, 5, 'when_drained'])
    expect(only(effects, 'when_drained').mail).toMatchObject({ from: 5, to: 20 })
  })

  it('reads events older than memory from the log, but none that memory holds', () => {
    const group = aGroupAt(11, 13)
    const effects = replay(group, mail(8, 12))
    expect(only(effects, 'read').query).toMatchObject({ after: 8, upTo: 10 })
    const piece = given(effects, posts(9, 10))
    expect(shown(piece)).toEqual([9, 10, 'when_drained'])
    const { mail: next } = only(piece, 'when_drained')
    if (next.type !== 'replay') throw new Error('not a replay')
    expect(shown(replay(group, next))).toEqual([11, 12, 'when_drained'])
  })

  it('skips numbers without an event', () => {
    const group = aGroupAt(11, 13)
    const piece = given(replay(group, mail(2, 9)), [])
    expect(end(piece)).toMatchObject(ended(true, 9))
  })

  it('counts first if many numbers were missed, and sends none if there are too many', () => {
    const to = limits.resumeEvents + 5
    const effects = replay(aGroupAt(to - 10, to), mail(4, to + 1))
    expect(only(effects, 'read').query).toEqual({
      read: 'count',
      groupId: 'g',
      after: 4,
      upTo: to + 1,
      cap: limits.resumeEvents + 1,
    })
    const tooMany = given(effects, limits.resumeEvents + 1)
    expect(shown(tooMany)).toEqual(['tell_user'])
    expect(end(tooMany)).toMatchObject(ended(false, to + 1))
  })

  it('sends exactly the number promised, counted once', () => {
    const to = limits.resumeEvents + 5
    const group = aGroupAt(to - 10, to)
    expect(only(replay(group, mail(5, to)), 'read').query).toMatchObject({ read: 'events' })
    // More numbers than that, but gaps among them.
    const first = given(replay(group, mail(4, to)), limits.resumeEvents)
    expect(only(first, 'read').query).toMatchObject({ read: 'events', after: 4 })
    const { limit } = only(first, 'read').query as { readonly limit: number }
    const piece = given(first, posts(5, 4 + limit))
    expect(only(piece, 'when_drained').mail).toMatchObject({ from: 4 + limit, counted: true })
  })

  it('does not change the group', () => {
    const group = aGroupAt(1, 9)
    const before = snapshot(group)
    replay(group, mail(3, 6))
    expect(snapshot(group)).toEqual(before)
  })
})
