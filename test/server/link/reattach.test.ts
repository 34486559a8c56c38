import { describe, expect, it } from 'vitest'
import { machineTimers } from '../../../engine/threads/timer.ts'
import type { Event } from '../../../protocol/events.ts'
import { eventually } from '../../support/conditions.ts'
import { modes, startInline } from '../../support/engines.ts'
import { refusal, text } from '../../support/sessions.ts'
import type { TestClient } from './harness.ts'
import { World } from './reattach-world.ts'

const contents = (client: TestClient) => client.of('new_message').map(({ message }) => message.content)
const numbers = (upTo: number) => Array.from({ length: upTo }, (_, i) => `${i}`)

/** Ana and Bruno in one group, each behind a link of their own. */
async function twoFronts(
  options: Parameters<typeof World.start>[0] = {},
  start = modes[0]?.start,
  timers = machineTimers,
) {
  const world = await World.start({ presenceGraceMs: 0, ...options }, start, timers)
  const [a, b] = [await world.front(), await world.front()]
  const ana = await a.front.open('ana')
  await ana.request('create_group', { kind: 'group', groupId: 'team', members: ['bruno'] })
  const bruno = await b.front.open('bruno')
  await ana.request('send_message', text('team', '0'))
  for (const client of [ana, bruno]) await client.next('new_message')
  return { world, a, b, ana, bruno }
}

// RES-1
describe.each(modes)('connections whose link breaks ($mode)', ({ mode, start }) => {
  it('receive what was posted meanwhile, once and in order, and are not closed', async () => {
    const { world, b, ana, bruno } = await twoFronts({}, start)
    b.proxy.target = 1
    b.proxy.cut()
    for (const i of ['1', '2', '3']) await ana.request('send_message', text('team', i))
    b.proxy.target = world.port
    await eventually(() => expect(contents(bruno)).toEqual(numbers(4)))
    await ana.request('send_message', text('team', '4'))
    await eventually(() => expect(contents(bruno)).toEqual(numbers(5)))
    expect([ana.closedBy, bruno.closedBy, bruno.of('connected').length]).toEqual([null, null, 1])
    expect(contents(ana)).toEqual(numbers(5))
  })

  it.runIf(mode === 'inline')('continue with an engine that starts after a crash', async () => {
    const { world, ana, bruno } = await twoFronts({}, start)
    for (let round = 0; round < 3; round++) {
      await world.crash()
      await ana.request('send_message', text('team', `${round + 1}`))
    }
    await eventually(() => expect(contents(bruno)).toEqual(numbers(4)))
    expect([ana.closedBy, bruno.closedBy]).toEqual([null, null])
  })

  it('continue with an engine that replaces the one before', async () => {
    const { world, ana, bruno } = await twoFronts({}, start)
    const sent = ana.request('send_message', text('team', '1'))
    await world.replace()
    await sent
    await ana.request('send_message', text('team', '2'))
    await eventually(() => expect(contents(bruno)).toEqual(numbers(3)))
    expect(bruno.of('gap')).toEqual([])
  })
})

describe('a link that breaks', () => {
  it('is not seen by others as a change of presence', async () => {
    const { world, a, b, ana, bruno } = await twoFronts()
    await ana.request('ping', {})
    const before = [ana, bruno].map((client) => client.of('contact_status_changed').length)
    for (const { proxy } of [a, b]) proxy.cut()
    await ana.request('send_message', text('team', '1'))
    await world.crash()
    await ana.request('send_message', text('team', '2'))
    await eventually(() => expect(contents(bruno)).toEqual(numbers(3)))
    await ana
      .request('get_online_users', { groupId: 'team' })
      .then((event) => expect((event as Event & { event: 'online_users' }).fields.total).toBe(2))
    expect([ana, bruno].map((client) => client.of('contact_status_changed').length)).toEqual(before)
  })

  it('lets others see the user again if it is made long after the start of an engine', async () => {
    const due = new Set<() => void>()
    const { world, b, ana } = await twoFronts({}, startInline, {
      ...machineTimers,
      after(delayMs, then) {
        if (delayMs !== 5_000) return machineTimers.after(delayMs, then)
        due.add(then)
        return () => due.delete(then)
      },
    })
    await world.crash()
    b.proxy.target = 1
    await ana.request('send_message', text('team', '1'))
    for (const then of due) then()
    // To this engine he is offline, as others may have seen.
    ana.events.length = 0
    b.proxy.target = world.port
    const { status } = await ana.next('contact_status_changed', ({ userId }) => userId === 'bruno')
    expect(status).toBe('online')
  })

  it('lets a user go offline whose connection closed meanwhile', async () => {
    const { world, ana, bruno } = await twoFronts()
    world.stop()
    bruno.leave()
    await world.restart()
    await ana.next(
      'contact_status_changed',
      ({ userId, status }) => userId === 'bruno' && status === 'offline',
    )
  })

  it('is not waited for if the front has ended', async () => {
    const { a, ana, bruno } = await twoFronts()
    await ana.request('ping', {})
    await a.linked.close()
    await bruno.next(
      'contact_status_changed',
      ({ userId, status }) => userId === 'ana' && status === 'offline',
    )
  })

  it('opens a connection that was opened meanwhile', async () => {
    const { world, b } = await twoFronts()
    world.stop()
    const opened = b.front.open('bruno')
    await world.restart()
    expect((await opened).of('connected')[0]?.groups.map(({ group }) => group.groupId)).toEqual(['team'])
  })

  it('removes a member who was removed meanwhile, after the event that says so', async () => {
    const { world, b, ana, bruno } = await twoFronts()
    b.proxy.target = 1
    b.proxy.cut()
    await ana.request('send_message', text('team', '1'))
    await ana.request('remove_member', { groupId: 'team', userId: 'bruno' })
    await ana.request('send_message', text('team', 'Not for Bruno'))
    b.proxy.target = world.port
    await bruno.next('user_left_group')
    await bruno.request('ping', {})
    expect([contents(bruno), [...bruno.topics]]).toEqual([['0', '1'], []])
  })

  it('attaches a member who was removed and added again meanwhile, without what was between', async () => {
    const { world, b, ana, bruno } = await twoFronts()
    b.proxy.target = 1
    b.proxy.cut()
    await ana.request('remove_member', { groupId: 'team', userId: 'bruno' })
    await ana.request('send_message', text('team', 'Not for Bruno'))
    await ana.request('add_member', { groupId: 'team', userId: 'bruno' })
    await ana.request('send_message', text('team', '1'))
    b.proxy.target = world.port
    await eventually(() => expect(contents(bruno)).toEqual(['0', '1']))
    await ana.request('send_message', text('team', '2'))
    await eventually(() => expect(contents(bruno)).toEqual(['0', '1', '2']))
    expect(bruno.of('user_joined_group').filter(({ userId }) => userId === 'bruno').length).toBe(1)
  })

  it('shows a user who was a member for a while meanwhile what came then', async () => {
    const { world, b, ana, bruno } = await twoFronts()
    const member = { groupId: 'team', userId: 'bruno' }
    // Somebody else subscribes to the topic in Bruno's front.
    await ana.request('add_member', { groupId: 'team', userId: 'clara' })
    const clara = await b.front.open('clara')
    await eventually(() => expect(clara.topics.size).toBe(2))
    b.proxy.target = 1
    b.proxy.cut()
    for (const i of ['1', '2']) {
      await ana.request('remove_member', member)
      await ana.request('send_message', text('team', 'Not for Bruno'))
      await ana.request('add_member', member)
      await ana.request('send_message', text('team', i))
    }
    await ana.request('remove_member', member)
    await ana.request('send_message', text('team', 'Not for Bruno'))
    b.proxy.target = world.port
    await eventually(() => expect(contents(bruno)).toEqual(['0', '1', '2']))
    await ana.request('send_message', text('team', 'Not for Bruno'))
    await eventually(() => expect(contents(clara).filter((text) => text === 'Not for Bruno').length).toBe(4))
    await bruno.request('ping', {})
    expect([contents(bruno), [...bruno.topics]]).toEqual([['0', '1', '2'], []])
  })

  it('shows a group that was joined meanwhile', async () => {
    const { world, b, ana, bruno } = await twoFronts()
    b.proxy.target = 1
    b.proxy.cut()
    await ana.request('create_group', { kind: 'group', groupId: 'other', members: ['bruno'] })
    await ana.request('send_message', text('other', 'In the other'))
    b.proxy.target = world.port
    await eventually(() => expect(contents(bruno)).toEqual(['0', 'In the other']))
  })

  // GAP-1
  it('removes by a gap what a crash took, and posts it again', async () => {
    const { world, a, ana, bruno } = await twoFronts()
    const image = world.image()
    a.proxy.mute()
    const sent = ana.request('send_message', text('team', '1'))
    await eventually(() => expect(contents(bruno)).toEqual(['0', '1']))
    world.stop(image)
    await world.restart()
    await sent
    const { from, to } = await bruno.next('gap')
    const inGap = bruno.of('new_message').filter(({ message }) => message.seq >= from && message.seq <= to)
    expect(inGap.map(({ message }) => message.content)).toEqual(['1'])
    await eventually(() => expect(contents(bruno)).toEqual(['0', '1', '1']))
    await eventually(() => expect(contents(ana)).toEqual(['0', '1']))
    expect(ana.of('message_sent').length).toBe(2)
  })

  it('removes by a gap a leave that a crash took, where it was the newest event', async () => {
    const { world, ana, bruno } = await twoFronts()
    await ana.request('add_member', { groupId: 'team', userId: 'carla' })
    await bruno.next('user_joined_group', ({ userId }) => userId === 'carla')
    const image = world.image()
    await world.engine.request({ userId: 'ana' }, 'remove_member', { groupId: 'team', userId: 'carla' })
    const { seq } = await bruno.next('user_left_group')
    world.stop(image)
    await world.restart()
    for (const client of [ana, bruno]) expect((await client.next('gap')).from).toBe(seq)
  })

  it('removes a member who left after a crash with what was posted between', async () => {
    const { world, a, b, ana, bruno } = await twoFronts()
    world.stop()
    await world.restart()
    b.proxy.target = 1
    b.proxy.cut()
    await eventually(() => expect(a.linked.linked).toBe(true))
    await ana.request('send_message', text('team', '1'))
    await ana.request('remove_member', { groupId: 'team', userId: 'bruno' })
    b.proxy.target = world.port
    await bruno.next('user_left_group')
    await bruno.request('ping', {})
    expect([bruno.of('gap').length, contents(bruno), [...bruno.topics]]).toEqual([1, ['0', '1'], []])
  })

  // RES-3
  it('loads no group of which nothing was missed', async () => {
    const { world, ana } = await twoFronts()
    for (let i = 0; i < 30; i++) {
      await ana.request('create_group', { kind: 'group', groupId: `g${i}`, members: [] })
    }
    await eventually(() => expect(ana.topics.size).toBe(62))
    await world.crash()
    await eventually(async () => {
      expect((await world.engine.stats()).sessions).toBe(2)
      expect(await ana.request('ping', {})).toMatchObject({ event: 'pong' })
    })
    const [shard] = (await world.engine.stats()).shards
    expect([shard?.groups, shard?.users]).toEqual([0, 2])
  })

  it('continues a resume that it interrupted, without sending an event twice', async () => {
    const { a, world, ana } = await twoFronts()
    for (let i = 1; i < 900; i++) await ana.request('send_message', text('team', `${i}`))
    const again = await a.front.open('ana')
    again.reads = false
    const resumed = again.request('resume', { groups: [['team', 0]] })
    await again.next('new_message')
    a.proxy.cut()
    await eventually(() => expect(a.linked.linked).toBe(true))
    await world.engine.request({ userId: 'ana' }, 'send_message', text('team', '900'))
    again.drain()
    await resumed
    await eventually(() => expect(contents(again)).toContain('900'))
    expect(contents(again).sort((x, y) => Number(x) - Number(y))).toEqual(numbers(901))
  })
})

// RES-2
describe('requests while the link is down', () => {
  it('wait, and are made in order over the next link', async () => {
    const { world, ana, bruno } = await twoFronts()
    world.stop()
    const sent = ['1', '2', '3'].map((content) => ana.request('send_message', text('team', content)))
    await world.restart()
    await Promise.all(sent)
    await eventually(() => expect(contents(bruno)).toEqual(numbers(4)))
  })

  it('are refused as overloaded after 5 seconds, and at once from then on', async () => {
    const due: (() => void)[] = []
    const world = await World.start()
    const { front } = await world.front({
      timers: {
        every: () => () => {},
        after: (delayMs, then) => {
          if (delayMs === 5_000) due.push(then)
          else setTimeout(then, delayMs)
          return () => {}
        },
      },
    })
    const ana = await front.open('ana')
    await ana.request('create_group', { kind: 'group', groupId: 'team', members: [] })
    due.length = 0
    world.stop()
    await eventually(() => expect(due.length).toBeGreaterThan(0))
    const sent = ana.request('send_message', text('team', '1'))
    const stats = front.engine.stats()
    for (const then of due) then()
    await expect(sent).rejects.toMatchObject({ ...refusal('overloaded'), retryAfterMs: 500 })
    await expect(stats).rejects.toMatchObject(refusal('overloaded'))
    await expect(ana.request('ping', {})).rejects.toMatchObject(refusal('overloaded'))
    await world.restart()
    await eventually(async () => expect((await ana.request('ping', {})).event).toBe('pong'))
  })

  it('that may have been carried out are answered so, if they must not be made twice', async () => {
    const { a, ana, bruno } = await twoFronts()
    a.proxy.mute()
    const left = ana.request('leave_group', { groupId: 'team' })
    const asked = a.linked.request({ userId: 'ana' }, 'update_status', { status: 'busy' })
    const group = a.linked.request({ userId: 'ana' }, 'create_group', { kind: 'group', groupId: 'other' })
    await bruno.next('user_left_group')
    a.proxy.cut()
    await expect(left).rejects.toMatchObject(refusal('unavailable'))
    await expect(group).rejects.toMatchObject(refusal('unavailable'))
    // A status that is set twice is the same.
    await asked
  })
})
