import { describe, expect, it } from 'vitest'
import type { Asked } from '../../../engine/actors/actor-context.ts'
import { GroupActor } from '../../../engine/actors/group/group-actor.ts'
import type { GroupMail } from '../../../engine/actors/mail.ts'
import type { LoadedGroup, StoredGroup } from '../../../engine/stored/stored-group.ts'
import { encodeEvent } from '../../../protocol/codec.ts'
import { ChatError } from '../../../protocol/errors.ts'
import { events } from '../../../protocol/events.ts'
import { ManualContext } from '../../support/actor-context.ts'
import { brief, by, newcomers } from '../../support/groups.ts'

const info: StoredGroup = {
  groupId: 'g',
  kind: 'group',
  visibility: 'private',
  createdBy: 'ana',
  createdAt: 0,
}

/** A group of Ana and Bruno as stored in the log, after its event 1 and a clean stop. */
function logged(change: Partial<LoadedGroup> = {}): LoadedGroup {
  const members = ['ana', 'bruno'].map(
    (userId) =>
      ({
        userId,
        name: userId,
        role: 'admin',
        joinedSeq: 1,
        joinedAt: 0,
        mutedUntil: 0,
        quietUntil: 0,
        picture: '',
      }) as const,
  )
  return {
    group: info,
    members,
    receipts: [],
    banned: [],
    invited: [],
    awaited: null,
    former: [],
    blockers: [],
    pins: [],
    lastSeq: 1,
    ceiling: 1,
    recent: [],
    tempIds: [],
    ...change,
  }
}
const nothing: LoadedGroup = logged({ group: null, members: [], lastSeq: 0, ceiling: 0 })

const post = (ref: number, userId = 'ana'): Asked => ({
  type: 'request',
  by: { ...by(userId), ref },
  request: {
    event: 'send_message',
    ref,
    fields: { groupId: 'g', content: 'x', tempId: `t${ref}` } as never,
  },
})
const history = (ref: number): Asked => ({
  type: 'request',
  by: { ...by('ana'), ref },
  request: { event: 'get_history', ref, fields: { groupId: 'g' } as never },
})
const create: GroupMail = { type: 'create', by: by('ana'), group: info, members: ['bruno'] }
const attach: GroupMail = { type: 'attach', session: 5, userId: 'bruno', joinedSeq: 1, from: 1 }

function anActor() {
  const context = new ManualContext()
  const failed: string[] = []
  const actor = new GroupActor('g', context, (groupId) => failed.push(groupId))
  const did = () => brief(context.performed.splice(0))
  const posted = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => [
      `record new_message ${from + i}`,
      'answer_committed message_sent',
    ]).flat()
  return { context, actor, did, posted, failed }
}

describe('a group that loads', () => {
  it('queues its mail, and handles it in order when it has loaded', async () => {
    const { context, actor, did, posted } = anActor()
    actor.receive(post(1))
    actor.receive(post(2))
    expect([actor.depth, did()]).toEqual([2, []])
    await context.answerRead('group', logged({ ceiling: 1_000, lastSeq: 1_000 }))
    context.leases[0]?.commit()
    expect(did()).toEqual(posted(1_001, 1_002))
    expect(actor.depth).toBe(0)
  })

  it('refuses mail with overloaded when its mailbox is full', () => {
    const { context, actor } = anActor()
    for (let ref = 1; ref <= 4_097; ref++) actor.receive(post(ref))
    actor.receive({ type: 'replay', session: 5, userId: 'bruno', from: 0, to: 1, counted: false })
    actor.receive(attach)
    expect(context.refused).toEqual(['4097 overloaded'])
    // A session that cannot be attached would miss events: it reconnects and resumes.
    expect(context.performed).toMatchObject([
      { type: 'tell_user', mail: { type: 'replayed', complete: false } },
      { type: 'close', session: 5, reason: 'failed' },
    ])
  })

  it('refuses all its mail if it cannot be loaded, and is unloaded', async () => {
    const { context, actor, failed } = anActor()
    actor.receive(post(1))
    actor.receive(history(2))
    await context.failRead('group')
    expect([context.refused, failed]).toEqual([['1 internal', '2 internal'], ['g']])
    expect(context.reported).toEqual(['a group could not be loaded'])
  })

  it('answers not_found if it does not exist, and is created by `create`', async () => {
    const { context, actor, did } = anActor()
    actor.receive(post(1))
    await context.answerRead('group', nothing)
    expect(context.refused).toEqual(['1 not_found'])
    actor.receive(create)
    context.leases[0]?.commit()
    await context.answerRead('newcomers', newcomers([{ name: 'Bruno', picture: '' }]))
    expect(did()).toEqual([
      'read',
      'append group',
      'append member',
      'append member',
      'record group_created 1',
      'answer_committed group',
      'tell ana joined',
      'tell bruno joined',
    ])
  })

  it('is created once if two users create it at the same time', async () => {
    const { context, actor, did } = anActor()
    await context.answerRead('group', nothing)
    actor.receive({ ...create, group: { ...info, kind: 'direct' } })
    actor.receive({ ...create, by: by('bruno'), members: ['ana'], group: { ...info, kind: 'direct' } })
    context.leases[0]?.commit()
    await context.answerRead('newcomers', newcomers([{ name: 'Bruno', picture: '' }]))
    await context.answerRead('newcomers', newcomers([{ name: 'Ana', picture: '' }]))
    const done = did()
    expect(done.filter((what) => what === 'record group_created 1').length).toBe(1)
    expect(done.filter((what) => what === 'answer_committed group').length).toBe(2)
  })
})

describe('the lease of a group', () => {
  async function aLoadedActor(loaded = logged()) {
    const made = anActor()
    await made.context.answerRead('group', loaded)
    return made
  }

  it('is committed before the first number is assigned; mail that needs no number does not wait', async () => {
    const { context, actor, did, posted } = await aLoadedActor()
    actor.receive(history(1))
    expect(did()).toEqual(['answer history'])
    actor.receive(post(2))
    expect([did(), context.leases.map(({ ceiling }) => ceiling)]).toEqual([[], [1_025]])
    // Later mail waits too, so that the order is preserved.
    actor.receive(history(3))
    expect(did()).toEqual([])
    context.leases[0]?.commit()
    expect(did()).toEqual([...posted(2, 2), 'answer history'])
  })

  it('is extended early, and no mail waits for that', async () => {
    const { context, actor, did, posted } = await aLoadedActor()
    actor.receive(post(1))
    context.leases[0]?.commit()
    for (let ref = 2; ref <= 700; ref++) actor.receive(post(ref))
    expect(did()).toEqual(posted(2, 701))
    // Once, 512 numbers before the end of the lease.
    expect(context.leases.map(({ ceiling }) => ceiling)).toEqual([1_025, 2_049])
  })

  it('is never exceeded: at its end mail waits for the extension', async () => {
    const { context, actor, did } = await aLoadedActor()
    actor.receive(post(1))
    context.leases[0]?.commit()
    for (let ref = 2; ref <= 1_100; ref++) actor.receive(post(ref))
    const assigned = did().filter((what) => what.startsWith('record'))
    const [, second] = context.leases
    expect(assigned.length).toBeLessThanOrEqual(1_024)
    expect(Number(assigned.at(-1)?.split(' ')[2])).toBeLessThanOrEqual(1_025)
    expect(actor.depth).toBe(1_100 - assigned.length)
    second?.commit()
    expect(actor.depth).toBe(0)
    expect(
      did()
        .filter((what) => what.startsWith('record'))
        .at(-1),
    ).toBe('record new_message 1101')
    expect(context.refused).toEqual([])
  })

  // IDN-5
  it('covers all numbers of a request that needs several, wherever the lease ends', async () => {
    const members = logged().members.map((member) =>
      member.userId === 'bruno' ? { ...member, role: 'member' as const } : member,
    )
    const leave: Asked = {
      type: 'request',
      by: { ...by('ana'), ref: 5_000 },
      request: { event: 'leave_group', ref: 5_000, fields: { groupId: 'g' } as never },
    }
    for (let posts = 1_010; posts <= 1_026; posts++) {
      const { context, actor, did } = await aLoadedActor(logged({ members }))
      actor.receive(post(1))
      context.leases[0]?.commit()
      for (let ref = 2; ref <= posts; ref++) actor.receive(post(ref))
      actor.receive(leave)
      context.leases[1]?.commit()
      const records = did().filter((what) => what.startsWith('record'))
      expect([posts, context.refused]).toEqual([posts, []])
      // The role passes to Bruno, and Ana leaves: each has its own number.
      expect(records.map((what) => Number(what.split(' ')[2]))).toEqual(
        Array.from({ length: posts + 2 }, (_, i) => i + 2),
      )
    }
  })

  it('that a crash left above the log is reported as a gap before anything else', async () => {
    const { context, actor, did, posted } = await aLoadedActor(logged({ lastSeq: 40, ceiling: 1_025 }))
    actor.receive(post(1))
    actor.receive(history(2))
    // The gap has a number too: above all that may have been assigned, and covered by a lease.
    expect([did(), context.leases.map(({ ceiling }) => ceiling)]).toEqual([[], [2_049]])
    context.leases[0]?.commit()
    const [gap] = context.performed
    expect(gap).toMatchObject({ event: { fields: { groupId: 'g', seq: 1_026, from: 41, to: 1_025 } } })
    expect(did()).toEqual(['record gap 1026', ...posted(1_027, 1_027), 'answer history'])
  })

  it('of a group whose creation was lost in a crash is skipped by the group created later', async () => {
    const { context, actor, did } = await aLoadedActor({ ...nothing, ceiling: 1_024 })
    actor.receive(create)
    expect(context.leases.map(({ ceiling }) => ceiling)).toEqual([2_048])
    context.leases[0]?.commit()
    await context.answerRead('newcomers', newcomers([{ name: 'Bruno', picture: '' }]))
    const done = did()
    expect(done.slice(0, 3)).toEqual(['read', 'append group', 'record gap 1025'])
    expect(done).toContain('record group_created 1026')
  })

  it('is returned before the group is unloaded, which waits until that is committed', async () => {
    const { context, actor, did } = await aLoadedActor()
    actor.receive(post(1))
    expect(actor.release()).toBe(false)
    context.leases[0]?.commit()
    did()
    expect(actor.release()).toBe(false)
    expect(context.performed.splice(0)).toMatchObject([
      { entry: { type: 'lease', groupId: 'g', ceiling: 2 } },
    ])
    expect(actor.release()).toBe(false)
    context.ledger.committed = actor.lastOffset
    expect(actor.release()).toBe(true)
    // It continues with a new lease if mail arrives in time.
    actor.receive(post(2))
    expect(context.leases.at(-1)?.ceiling).toBe(1_026)
  })

  it('is also returned if the group was not created', async () => {
    const { context, actor } = await aLoadedActor(nothing)
    actor.receive(create)
    actor.storageFailed(new ChatError('storage_unavailable'))
    context.leases[0]?.commit()
    expect(actor.release()).toBe(false)
    expect(context.performed.splice(0)).toContainEqual({
      type: 'append',
      entry: { type: 'lease', groupId: 'g', ceiling: 0 },
    })
  })

  it('is not returned while a handler still reads', async () => {
    const { context, actor } = await aLoadedActor(logged({ ceiling: 1 }))
    context.ledger.committed = 100
    actor.receive({
      type: 'request',
      by: by('ana'),
      request: { event: 'add_member', ref: 1, fields: { groupId: 'g', userId: 'eva' } as never },
    })
    context.leases[0]?.commit()
    expect(actor.reading).toBe(1)
    context.performed.splice(0)
    expect([actor.release(), context.performed]).toEqual([false, []])
    await context.answerRead('newcomers', newcomers([{ name: 'Eva', picture: '' }]))
    expect(actor.reading).toBe(0)
    context.performed.splice(0)
    expect([actor.release(), brief(context.performed)]).toEqual([false, ['append lease']])
  })

  it('that cannot be committed refuses the requests that wait for it, but not attaching sessions', async () => {
    const { context, actor } = await aLoadedActor()
    actor.receive(post(1))
    actor.receive(attach)
    actor.receive(create)
    actor.storageFailed(new ChatError('storage_unavailable'))
    expect(context.refused).toEqual(['1 storage_unavailable'])
    expect(context.performed).toMatchObject([{ type: 'answer', event: { name: 'error' } }])
    expect(actor.depth).toBe(1)
    context.leases[0]?.commit()
    expect(brief(context.performed).at(-1)).toBe('subscribe')
  })

  it('is not requested while writes are refused', async () => {
    const { context, actor, did } = await aLoadedActor()
    context.refusal = new ChatError('shutting_down')
    actor.receive(post(1))
    actor.receive(history(2))
    expect([context.refused, context.leases, did()]).toEqual([['1 shutting_down'], [], ['answer history']])
  })
})

describe('an alarm of a group', () => {
  const alarm = { type: 'alarm', what: 'typing' } as const
  const typingStart = {
    type: 'request',
    by: by('ana'),
    request: { event: 'typing_start', ref: 1, fields: { groupId: 'g' } },
  } as const

  it('ends what it was set for', async () => {
    const { context, actor, did } = anActor()
    await context.answerRead('group', logged())
    context.present.set('ana', { connected: true, status: 'online' })
    actor.receive(typingStart)
    expect(did()).toEqual(['publish', 'watch', 'wake_group', 'answer ok'])
    context.nowMs = 6_000
    actor.receive(alarm)
    expect(did()).toEqual(['publish', 'watch'])
    actor.receive(typingStart)
    did()
    actor.receive({ type: 'user_disconnected', userId: 'ana' })
    expect(did()).toEqual(['publish', 'watch'])
  })

  it('is postponed, not lost, if the mailbox is full', () => {
    const { context, actor } = anActor()
    for (let ref = 0; ref < 4_096; ref++)
      actor.receive({ ...typingStart, request: { ...typingStart.request, ref } })
    actor.receive(alarm)
    actor.receive({ type: 'user_disconnected', userId: 'ana' })
    expect(context.performed).toMatchObject([
      { type: 'wake_group', groupId: 'g', what: 'typing', afterMs: 500 },
    ])
  })
})

describe('mail to a group', () => {
  it('hides typing at once, also while a post that ends it waits for a lease', async () => {
    // PRV-1, PRS-4
    const { context, actor, did } = anActor()
    context.present.set('ana', { connected: true, status: 'online' })
    await context.answerRead('group', logged({ lastSeq: 1 }))
    actor.receive({
      type: 'request',
      by: by('ana'),
      request: { event: 'typing_start', ref: 1, fields: { groupId: 'g' } as never },
    })
    did()
    actor.receive(post(1))
    actor.receive({ type: 'hide_typing', typist: 'ana', from: 'bruno' })
    expect([actor.depth, context.performed]).toMatchObject([
      1,
      [{ type: 'publish', onlyUser: 'bruno', event: { name: 'user_stopped_typing' } }],
    ])
  })

  it('attaches a session that starts above the newest shown event when that event has been shown', async () => {
    const { context, actor, did } = anActor()
    // Under traffic there is always a newer event that is not shown: it does not wait for that.
    await context.answerRead('group', logged({ lastSeq: 6 }))
    actor.published(4)
    context.hides = true
    actor.receive({ ...attach, from: 5 })
    expect([did(), context.hidden.length]).toEqual([[], 1])
    actor.published(5)
    context.hidden[0]?.()
    expect([did(), context.hidden.length]).toEqual([['subscribe'], 1])
  })

  it('attaches a session at once if it starts at or below the newest shown event', async () => {
    const { context, actor, did } = anActor()
    await context.answerRead('group', logged({ lastSeq: 5 }))
    actor.published(4)
    context.hides = true
    actor.receive({ ...attach, from: 4 })
    expect([did(), context.hidden.length]).toEqual([['subscribe'], 0])
  })

  it('unsubscribes a user who left only after the others have been shown the event', async () => {
    const { context, actor } = anActor()
    await context.answerRead('group', logged({ lastSeq: 5 }))
    actor.members.delete('bruno')
    actor.published(4)
    context.hides = true
    actor.receive({ ...attach, from: 4 })
    expect([context.performed, context.hidden.length]).toEqual([[], 1])
  })

  it('sends a user who has rejoined what came before they left at once, before the rest', async () => {
    const { context, actor } = anActor()
    const event = (name: 'user_left_group' | 'user_joined_group', seq: number) => {
      const fields = { userId: 'bruno', userName: 'Bruno', groupId: 'g', seq }
      return { seq, code: events[name].code, frame: encodeEvent(name, 0, fields) }
    }
    const { members } = logged()
    await context.answerRead(
      'group',
      logged({
        lastSeq: 4,
        members: members.map((member) => ({ ...member, joinedSeq: member.userId === 'bruno' ? 3 : 1 })),
        recent: [event('user_left_group', 2), event('user_joined_group', 3)],
      }),
    )
    actor.published(3)
    context.hides = true
    actor.receive(attach)
    actor.receive({ ...attach, joinedSeq: 3, from: 2 })
    const seqs = context.performed.map((effect) => (effect.type === 'send_frame' ? effect.seq : effect.type))
    expect([seqs, context.hidden.length]).toEqual([[2, 3, 'subscribe'], 0])
  })

  it('ends a replay of a group that does not exist like one of a group that the user is not in', async () => {
    const { context, actor } = anActor()
    await context.answerRead('group', nothing)
    actor.receive({ type: 'replay', session: 5, userId: 'bruno', from: 0, to: 9, counted: false })
    actor.receive(attach)
    expect(context.performed).toMatchObject([
      { type: 'tell_user', userId: 'bruno', mail: { type: 'replayed', complete: null, lastSeq: 9 } },
    ])
  })
})
