import { describe, expect, it } from 'vitest'
import type { EventName } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import { Device, startRows, wires } from './harness.ts'

/** The events of one kind that a device has received, once everything in transit has arrived. */
async function received<N extends EventName>(device: Device, name: N) {
  await device.get('ping', {}, 'pong')
  return device.events.flatMap((event) => (event.event === name ? [event.fields] : []))
}

describe.each(wires)('presence over $wire', ({ protocol }) => {
  /** Ana, admin; Bruno, member; Eva, not a member; and their group, which both subscribe to. */
  async function kitchen(options = {}) {
    const rows = await startRows(protocol, { presenceGraceMs: 0, ...options })
    const ana = await rows.device('ana')
    const bruno = await rows.device('bruno')
    const eva = await rows.device('eva')
    const groupId = await ana.group({ members: ['bruno'] })
    await Promise.all([ana.next('group_created'), bruno.next('group_created')])
    return { rows, ana, bruno, eva, groupId }
  }

  it('typing_start is shown once to the others, until typing_stop', async () => {
    const { ana, bruno, eva, groupId } = await kitchen()
    for (let i = 0; i < 3; i++) await ana.get('typing_start', { groupId }, 'ok')
    expect((await bruno.next('user_typing')).fields).toEqual({ userId: 'ana', userName: 'Ana', groupId })
    await ana.get('typing_stop', { groupId }, 'ok')
    await ana.get('typing_stop', { groupId }, 'ok')
    expect((await bruno.next('user_stopped_typing')).fields).toEqual({ userId: 'ana', groupId })
    for (const name of ['user_typing', 'user_stopped_typing'] as const) {
      expect([
        (await received(bruno, name)).length,
        await received(ana, name),
        await received(eva, name),
      ]).toEqual([1, [], []])
    }
  })

  it.each(['typing_start', 'typing_stop'] as const)(
    '%s is for members, of a group that is there',
    async (name) => {
      const { ana, eva, groupId } = await kitchen()
      expect(await eva.refusal(name, { groupId })).toBe('not_found groupId')
      expect(await ana.refusal(name, { groupId: 'nogroup' })).toBe('not_found groupId')
      expect(await ana.refusal(name, { groupId: 5 })).toBe('bad_request groupId')
    },
  )

  it('typing_start is refused to users who may not post', async () => {
    const { ana, bruno, groupId } = await kitchen()
    await ana.get('mute_member', { groupId, userId: 'bruno' }, 'ok')
    expect(await bruno.refusal('typing_start', { groupId })).toBe('muted')
    await bruno.get('typing_stop', { groupId }, 'ok')
    expect(await received(ana, 'user_typing')).toEqual([])
  })

  it('typing ends with the message, with the last session, and when the member leaves', async () => {
    const { rows, ana, bruno, groupId } = await kitchen()
    await bruno.get('typing_start', { groupId }, 'ok')
    await bruno.post(groupId)
    await ana.next('user_stopped_typing')

    const laptop = await rows.device('bruno')
    await laptop.get('typing_start', { groupId }, 'ok')
    laptop.ws.close()
    await laptop.closed()
    expect((await received(ana, 'user_stopped_typing')).length).toBe(1)
    bruno.ws.close()
    await ana.next('user_stopped_typing')

    const phone = await rows.device('bruno')
    await phone.get('typing_start', { groupId }, 'ok')
    await phone.get('leave_group', { groupId }, 'ok')
    await ana.next('user_stopped_typing')
    expect((await received(ana, 'user_typing')).length).toBe(3)
  })

  it('update_status is shown to users who share a group, and on all devices', async () => {
    const { rows, ana, bruno, eva, groupId } = await kitchen()
    const laptop = await rows.device('ana')
    await ana.get('update_status', { status: 'busy' }, 'ok')
    const busy = { userId: 'ana', status: 'busy', timestamp: expect.any(Number) }
    expect((await bruno.next('contact_status_changed')).fields).toEqual(busy)
    expect((await laptop.next('contact_status_changed')).fields).toEqual(busy)
    await ana.get('update_status', { status: 'busy' }, 'ok')
    expect(await received(bruno, 'contact_status_changed')).toEqual([busy])
    expect(await received(eva, 'contact_status_changed')).toEqual([])
    const { users } = await bruno.get('get_online_users', { groupId }, 'online_users')
    expect(users).toContainEqual({ userId: 'ana', name: 'Ana', status: 'busy' })
    // A device that connects later receives the status chosen on another one.
    const tablet = await rows.device('ana')
    expect((await tablet.next('contact_status_changed')).fields).toEqual(busy)

    expect(await ana.refusal('update_status', { status: 'asleep' })).toBe('bad_request status')
    expect(await ana.refusal('update_status', {})).toBe('bad_request status')
  })

  it('a status survives a restart of the server', async () => {
    const { rows, ana } = await kitchen()
    await ana.get('update_status', { status: 'away' }, 'ok')
    await rows.server.close()
    const again = await startRows(protocol, { dataDir: rows.dataDir })
    const later = await again.device('ana')
    expect((await later.next('contact_status_changed')).fields).toMatchObject({
      userId: 'ana',
      status: 'away',
    })
  })

  // PRS-1
  it('a user who disconnects is offline for others, with the time, and online after a reconnect', async () => {
    const { rows, ana, bruno, eva, groupId } = await kitchen()
    const before = Date.now()
    bruno.ws.close()
    const { fields } = await ana.next('contact_status_changed')
    expect(fields).toMatchObject({ userId: 'bruno', status: 'offline' })
    expect(fields.lastSeenAt).toBeGreaterThanOrEqual(before)
    expect(fields.lastSeenAt).toBeLessThanOrEqual(fields.timestamp)
    expect(await ana.get('get_online_users', { groupId }, 'online_users')).toEqual({
      groupId,
      users: [{ userId: 'ana', name: 'Ana', status: 'online' }],
      total: 1,
    })
    await rows.device('bruno')
    expect((await ana.next('contact_status_changed')).fields).toEqual({
      userId: 'bruno',
      status: 'online',
      timestamp: expect.any(Number),
    })
    expect(await received(eva, 'contact_status_changed')).toEqual([])
  })

  it('a reconnect within the grace period is not shown', async () => {
    const { rows, ana, bruno, groupId } = await kitchen({ presenceGraceMs: 60_000 })
    bruno.ws.close()
    await bruno.closed()
    const { total } = await ana.get('get_online_users', { groupId }, 'online_users')
    expect(total).toBe(2)
    await rows.device('bruno')
    expect(await received(ana, 'contact_status_changed')).toEqual([])
  })

  // PRS-4
  it('an invisible user is offline for all others, and connects and disconnects unseen', async () => {
    const { rows, ana, bruno, groupId } = await kitchen()
    await bruno.get('update_status', { status: 'offline' }, 'ok')
    const { fields } = await ana.next('contact_status_changed')
    expect(fields).toMatchObject({ userId: 'bruno', status: 'offline', lastSeenAt: expect.any(Number) })
    const { users, total } = await ana.get('get_online_users', { groupId }, 'online_users')
    expect([users.map(({ userId }) => userId), total]).toEqual([['ana'], 1])
    bruno.ws.close()
    await bruno.closed()
    const phone = await rows.device('bruno')
    expect((await phone.next('contact_status_changed')).fields).toMatchObject({ status: 'offline' })
    expect((await received(ana, 'contact_status_changed')).length).toBe(1)
    await phone.get('update_status', { status: 'online' }, 'ok')
    expect((await ana.next('contact_status_changed')).fields).toMatchObject({
      userId: 'bruno',
      status: 'online',
    })
  })

  it('the time last seen survives a stop of the server, and reveals nothing about invisible users', async () => {
    const { rows, ana, bruno } = await kitchen()
    const seen = async (device: Device) => {
      const { users } = await device.get('get_contacts', {}, 'users')
      return users.map(({ userId, status, lastSeenAt }) => ({ userId, status, lastSeenAt }))
    }
    await bruno.group({ kind: 'direct', members: ['ana'] })
    expect(await seen(ana)).toEqual([{ userId: 'bruno', status: 'online' }])
    const before = Date.now()
    await rows.server.close()
    const again = await startRows(protocol, { dataDir: rows.dataDir, presenceGraceMs: 0 })
    const later = await again.device('ana')
    const [contact] = await seen(later)
    expect(contact).toMatchObject({ userId: 'bruno', status: 'offline' })
    expect(contact?.lastSeenAt).toBeGreaterThanOrEqual(before)

    const back = await again.device('bruno')
    await back.get('update_status', { status: 'offline' }, 'ok')
    const hidden = await seen(later)
    expect(hidden).toMatchObject([{ userId: 'bruno', status: 'offline' }])
    back.ws.close()
    await back.closed()
    await again.device('bruno')
    expect(await seen(later)).toEqual(hidden)
  })

  it('get_online_users lists the online users, for members', async () => {
    const { rows, ana, bruno, eva, groupId } = await kitchen()
    await rows.device('bruno')
    await ana.get('add_member', { groupId, userId: 'dora' }, 'ok')
    await bruno.get('update_status', { status: 'away' }, 'ok')
    expect(await bruno.get('get_online_users', { groupId }, 'online_users')).toEqual({
      groupId,
      users: [
        { userId: 'ana', name: 'Ana', status: 'online' },
        { userId: 'bruno', name: 'Bruno', status: 'away' },
      ],
      total: 2,
    })
    expect(await eva.refusal('get_online_users', { groupId })).toBe('not_found groupId')
    expect(await ana.refusal('get_online_users', { groupId: 'nogroup' })).toBe('not_found groupId')
    expect(await ana.refusal('get_online_users', { groupId: 5 })).toBe('bad_request groupId')
  })

  it('signal reaches one member on all devices, or everyone except the sending session', async () => {
    const { rows, ana, bruno, eva, groupId } = await kitchen()
    const laptop = await rows.device('bruno')
    await ana.get('add_member', { groupId, userId: 'carla' }, 'ok')
    const carla = await rows.device('carla')
    await ana.get('signal', { groupId, toUserId: 'bruno', kind: 'offer', payload: 'sdp' }, 'ok')
    const offer = { fromUserId: 'ana', groupId, kind: 'offer', payload: 'sdp' }
    for (const device of [bruno, laptop]) expect((await device.next('signal')).fields).toEqual(offer)
    expect(await received(carla, 'signal')).toEqual([])

    await carla.get('get_history', { groupId }, 'history')
    await ana.get('signal', { groupId, kind: 'candidate', payload: '' }, 'ok')
    const candidate = { fromUserId: 'ana', groupId, kind: 'candidate', payload: '' }
    for (const device of [bruno, laptop, carla])
      expect((await device.next('signal')).fields).toEqual(candidate)
    expect([await received(ana, 'signal'), await received(eva, 'signal')]).toEqual([[], []])
  })

  it('signal is limited to members, as sender and receiver, and in size', async () => {
    const { ana, eva, groupId } = await kitchen()
    const fields = { groupId, kind: 'offer', payload: '' }
    expect(await eva.refusal('signal', fields)).toBe('not_found groupId')
    expect(await ana.refusal('signal', { ...fields, groupId: 'nogroup' })).toBe('not_found groupId')
    expect(await ana.refusal('signal', { ...fields, toUserId: 'eva' })).toBe('not_found toUserId')
    expect(await ana.refusal('signal', { ...fields, kind: '' })).toBe('bad_request kind')
    expect(await ana.refusal('signal', { ...fields, payload: 5 })).toBe('bad_request payload')
    const payload = 'x'.repeat(limits.signalPayloadBytes + 1)
    expect(await ana.refusal('signal', { ...fields, payload })).toBe('bad_request payload')
    expect(await received(eva, 'signal')).toEqual([])
  })

  it('nobody receives events of a user who shares no group with them', async () => {
    const { rows, ana, bruno, eva, groupId } = await kitchen()
    await ana.get('typing_start', { groupId }, 'ok')
    await ana.get('update_status', { status: 'busy' }, 'ok')
    await ana.get('signal', { groupId, kind: 'offer', payload: '' }, 'ok')
    await ana.post(groupId)
    bruno.ws.close()
    await ana.next('contact_status_changed')
    await rows.device('bruno')
    // Bruno leaves: from then on neither side receives events of the other.
    const phone = await rows.device('bruno')
    await phone.get('leave_group', { groupId }, 'ok')
    const soFar = (await received(ana, 'contact_status_changed')).length
    await phone.get('update_status', { status: 'away' }, 'ok')
    await ana.get('update_status', { status: 'online' }, 'ok')
    expect((await received(ana, 'contact_status_changed')).length).toBe(soFar)
    const { fields } = await phone.first(({ event }) => event === 'user_left_group')
    const after = phone.events.findIndex((event) => event.fields === fields)
    expect(phone.events.slice(after + 1).map(({ event }) => event)).toEqual(['ok', 'ok'])

    await eva.get('ping', {}, 'pong')
    expect(eva.events.map(({ event }) => event)).toEqual(['connected', 'pong'])
  })
})

describe('typing', () => {
  // TYP-1
  it('ends automatically six seconds after the last start, over msgpack and JSON', async () => {
    const rows = await startRows(wires[0].protocol)
    const ana = await rows.device('ana')
    const bruno = await rows.device('bruno')
    const token = await rows.tokenOf('carla')
    const carla = new Device(rows.server.port, { token, protocols: [wires[1].protocol] })
    await carla.next('connected')
    const groupId = await ana.group({ members: ['bruno', 'carla'] })
    await Promise.all([ana, bruno, carla].map((device) => device.next('group_created')))
    const startedAt = Date.now()
    await ana.get('typing_start', { groupId }, 'ok')
    for (const device of [bruno, carla]) {
      expect((await device.next('user_stopped_typing')).fields).toEqual({ userId: 'ana', groupId })
    }
    expect(Date.now() - startedAt).toBeGreaterThan(5_900)
  }, 20_000)
})
