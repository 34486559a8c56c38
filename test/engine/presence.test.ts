import { describe, expect, it } from 'vitest'
import type { Engine } from '../../engine/engine.ts'
import { eventually } from '../support/conditions.ts'
import { modes } from '../support/engines.ts'
import { collect, text } from '../support/sessions.ts'

const GRACE_MS = 60_000

describe.each(modes)('presence ($mode)', ({ start }) => {
  /** Users who are in one group and subscribed to it. */
  async function groupOf(engine: Engine, ...userIds: readonly string[]) {
    const sessions = await Promise.all(userIds.map((userId) => engine.connect({ userId })))
    const [first] = sessions
    if (!first) throw new Error('a group of nobody')
    const begun = sessions.map((session) => collect(session, 'group_created'))
    const { groupId } = await first.createGroup({ kind: 'group', members: userIds.slice(1) })
    await eventually(() => expect(begun.every(({ length }) => length === 1)).toBe(true))
    return { sessions, groupId }
  }

  it('of all users is known to every shard once they are connected', async () => {
    const engine = await start()
    const userIds = Array.from({ length: 12 }, (_, i) => `user-${i}`)
    const { sessions, groupId } = await groupOf(engine, ...userIds)
    for (const session of sessions) {
      const { users, total } = await session.getOnlineUsers({ groupId })
      expect([users.map(({ userId }) => userId).sort(), total]).toEqual([[...userIds].sort(), 12])
    }
  })

  // PRS-3
  it('changes reach each session once, even if several groups are shared', async () => {
    const engine = await start()
    const { sessions } = await groupOf(engine, 'ana', 'bruno')
    const [ana, bruno] = sessions
    if (!ana || !bruno) throw new Error('nobody is there')
    const second = await bruno.createGroup({ kind: 'direct', members: ['ana'] })
    const history = await ana.getHistory({ groupId: second.groupId })
    expect(history.messages).toEqual([])
    const received = collect(ana, 'contact_status_changed')
    const attached = collect(ana, 'new_message')
    await bruno.sendMessage(text(second.groupId, 'olá'))
    await eventually(() => expect(attached).toHaveLength(1))
    const other = await engine.connect({ userId: 'bruno' })
    const own = collect(other, 'contact_status_changed')
    await bruno.updateStatus({ status: 'away' })
    await bruno.updateStatus({ status: 'busy' })
    await eventually(() => expect(received.map(({ status }) => status)).toEqual(['away', 'busy']))
    await eventually(() => expect(own.map(({ status }) => status)).toEqual(['away', 'busy']))
    expect(received[0]).toMatchObject({ userId: 'bruno', status: 'away' })
  })

  it('that was chosen survives a restart and the end of sessions', async () => {
    const engine = await start({ presenceGraceMs: 0 })
    const { sessions, groupId } = await groupOf(engine, 'ana', 'bruno')
    const [ana, bruno] = sessions
    if (!ana || !bruno) throw new Error('nobody is there')
    const received = collect(ana, 'contact_status_changed')
    await bruno.updateStatus({ status: 'busy' })
    bruno.close()
    await eventually(() => expect(received.at(-1)?.status).toBe('offline'))
    await engine.connect({ userId: 'bruno' })
    await eventually(() => expect(received.at(-1)?.status).toBe('busy'))
    const { users } = await ana.getOnlineUsers({ groupId })
    expect(users).toContainEqual({ userId: 'bruno', name: 'bruno', status: 'busy' })
  })

  // PRS-1
  it('is not announced for a reconnect in time, on any shard', async () => {
    const engine = await start({ presenceGraceMs: GRACE_MS })
    const { sessions, groupId } = await groupOf(engine, 'ana', 'bruno', 'carla', 'dora')
    const [ana, ...others] = sessions
    if (!ana) throw new Error('nobody is there')
    const received = collect(ana, 'contact_status_changed')
    for (const session of others) session.close()
    for (const { userId } of others) await engine.connect({ userId })
    expect((await ana.getOnlineUsers({ groupId })).total).toBe(4)
    expect(received).toEqual([])
  })

  it('stops with the engine at once, during a grace period', async () => {
    const engine = await start({ presenceGraceMs: GRACE_MS })
    const { sessions, groupId } = await groupOf(engine, 'ana', 'bruno')
    await sessions[0]?.typingStart({ groupId })
    sessions[1]?.close()
    const startedAt = performance.now()
    await engine.close()
    expect(performance.now() - startedAt).toBeLessThan(GRACE_MS)
  })

  it('remains correct after actors were unloaded', async () => {
    const engine = await start({ presenceGraceMs: 0, idleMs: 0 })
    const { sessions, groupId } = await groupOf(engine, 'ana', 'bruno')
    const [ana, bruno] = sessions
    if (!ana || !bruno) throw new Error('nobody is there')
    const received = collect(bruno, 'user_typing')
    await ana.typingStart({ groupId })
    await eventually(() => expect(received).toHaveLength(1))
    const left = collect(bruno, 'contact_status_changed')
    const stopped = collect(bruno, 'user_stopped_typing')
    ana.close()
    await eventually(() => expect([stopped.length, left.at(-1)?.status]).toEqual([1, 'offline']))
  })

  // PRS-2
  it('and typing are not sent in a large group, which only counts its members online', async () => {
    const engine = await start({ presenceGraceMs: 0 })
    const ana = await engine.connect({ userId: 'ana' })
    const bruno = await engine.connect({ userId: 'bruno' })
    const members = ['bruno', ...Array.from({ length: 499 }, (_, i) => `member-${i}`)]
    const begun = collect(bruno, 'group_created')
    const { groupId } = await ana.createGroup({ kind: 'group', members })
    await eventually(() => expect(begun).toHaveLength(1))
    const status = collect(bruno, 'contact_status_changed')
    const typing = collect(bruno, 'user_typing')
    await ana.updateStatus({ status: 'away' })
    await ana.typingStart({ groupId })
    expect(await bruno.getOnlineUsers({ groupId })).toMatchObject({ users: [], total: 2 })
    // A session that connects later gets none either, until the group has shrunk.
    ana.close()
    const later = await engine.connect({ userId: 'ana' })
    await bruno.getOnlineUsers({ groupId })
    expect([status, typing]).toEqual([[], []])
    await later.removeMember({ groupId, userId: 'member-0' })
    await later.typingStart({ groupId })
    await eventually(() => expect(typing).toHaveLength(1))
    await later.updateStatus({ status: 'busy' })
    await eventually(() => expect(status).toMatchObject([{ userId: 'ana', status: 'busy' }]))
  })
})
