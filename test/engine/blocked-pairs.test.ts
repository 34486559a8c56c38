/**
 * PRV-1 while the blocker is disconnected, and at the moment of blocking: nothing of a blocked sender
 * is pushed, signalled or shown.
 */
import { describe, expect, it } from 'vitest'
import { record } from '../../engine/actors/effects.ts'
import type { Engine } from '../../engine/engine.ts'
import { postReports } from '../../engine/hooks/post-reports.ts'
import type { Session } from '../../engine/hub/session.ts'
import { eventually } from '../support/conditions.ts'
import { modes, temporaryFolder } from '../support/engines.ts'
import { aPost } from '../support/groups.ts'
import { aPerformer } from '../support/performer.ts'
import { collect, text } from '../support/sessions.ts'

const post = (engine: Engine, userId: string, groupId: string, content: string) =>
  engine.request({ userId }, 'send_message', text(groupId, content))

/** What a session is notified of another user's presence. */
function statusesOf(session: Session, other: string): readonly string[] {
  const seen: string[] = []
  session.on('contact_status_changed', ({ userId, status, lastSeenAt }) => {
    if (userId === other) seen.push(lastSeenAt === undefined ? status : `${status}, last seen`)
  })
  return seen
}

describe.each(modes)('a block whose blocker is disconnected, $mode', ({ start }) => {
  it('hides only posts of the blocked user from userOffline', async () => {
    const pushed: string[] = []
    const posted: string[] = []
    const dataDir = temporaryFolder()
    const hooks = {
      userOffline: ({ userId, message }: { userId: string; message: { content: string } }) =>
        void pushed.push(`${userId}: ${message.content}`),
      afterMessage: ({ content }: { content: string }) => void posted.push(content),
    }
    const engine = await start({ dataDir, hooks })
    const clara = await engine.connect({ userId: 'clara' })
    const { groupId } = await clara.createGroup({ kind: 'group', members: ['ana', 'bruno', 'dora'] })
    const bruno = await engine.connect({ userId: 'bruno' })
    await bruno.sendMessage(text(groupId, 'before'))
    await engine.request({ userId: 'ana' }, 'block_user', { userId: 'bruno' })
    await bruno.sendMessage(text(groupId, 'connected'))
    await bruno.close()
    const again = await engine.connect({ userId: 'bruno' })
    await again.sendMessage(text(groupId, 'connected again'))
    await again.close()
    await post(engine, 'bruno', groupId, 'over HTTP')
    await clara.sendMessage(text(groupId, 'of another'))
    await engine.request({ userId: 'ana' }, 'unblock_user', { userId: 'bruno' })
    await post(engine, 'bruno', groupId, 'after')
    await engine.close()
    const ofAna = pushed.filter((line) => line.startsWith('ana: '))
    expect(ofAna.sort()).toEqual(['ana: after', 'ana: before', 'ana: of another'])
    expect(pushed.filter((line) => line.startsWith('dora: '))).toHaveLength(6)
    expect(posted).toHaveLength(6)
  })

  it('holds after a restart', async () => {
    const pushed: string[] = []
    const dataDir = temporaryFolder()
    const first = await start({ dataDir })
    const bruno = await first.connect({ userId: 'bruno' })
    const { groupId } = await bruno.createGroup({ kind: 'group', members: ['ana', 'dora'] })
    await first.request({ userId: 'ana' }, 'block_user', { userId: 'bruno' })
    await first.close()
    const engine = await start({ dataDir, hooks: { userOffline: ({ userId }) => void pushed.push(userId) } })
    const back = await engine.connect({ userId: 'bruno' })
    await back.sendMessage(text(groupId, 'hello'))
    await engine.close()
    expect(pushed).toEqual(['dora'])
  })

  it('delivers no signal to the group between the two, whichever of them is connected', async () => {
    const engine = await start()
    const clara = await engine.connect({ userId: 'clara' })
    const { groupId } = await clara.createGroup({ kind: 'group', members: ['ana', 'bruno'] })
    const bruno = await engine.connect({ userId: 'bruno' })
    const received = [clara, bruno].map((session) => collect(session, 'signal'))
    // Only storage knows the blocker.
    await engine.request({ userId: 'ana' }, 'block_user', { userId: 'bruno' })
    const signal = (userId: string, payload: string) =>
      engine.request({ userId }, 'signal', { groupId, kind: 'k', payload })
    await signal('ana', 'of the blocker')
    await signal('clara', 'of another')
    const payloads = () => received.map((events) => events.map(({ payload }) => payload))
    await eventually(() => expect(payloads()).toEqual([['of the blocker', 'of another'], ['of another']]))
    // Only storage knows the blocked user.
    await bruno.close()
    const ana = await engine.connect({ userId: 'ana' })
    const anas = collect(ana, 'signal')
    await signal('bruno', 'of the blocked')
    await signal('clara', 'the last')
    await eventually(() => expect(anas.map(({ payload }) => payload)).toEqual(['the last']))
  })
})

describe.each(modes)('presence of a blocked pair, $mode', ({ start }) => {
  it('is offline for both once the block begins, and is shown again once neither blocks', async () => {
    const engine = await start()
    const [ana, bruno, clara] = [
      await engine.connect({ userId: 'ana' }),
      await engine.connect({ userId: 'bruno' }),
      await engine.connect({ userId: 'clara' }),
    ]
    await ana.updateStatus({ status: 'busy' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    await ana.createGroup({ kind: 'direct', members: ['bruno'] })
    const joined = collect(bruno, 'new_message')
    await ana.sendMessage(text(groupId, 'hello'))
    await eventually(() => expect(joined).toHaveLength(1))
    const [hers, his, others] = [statusesOf(ana, 'bruno'), statusesOf(bruno, 'ana'), statusesOf(clara, 'ana')]
    await ana.blockUser({ userId: 'bruno' })
    await eventually(() => expect([hers, his]).toEqual([['offline'], ['offline']]))
    await bruno.blockUser({ userId: 'ana' })
    await ana.unblockUser({ userId: 'bruno' })
    await ana.updateStatus({ status: 'away' })
    await bruno.unblockUser({ userId: 'ana' })
    await eventually(() => expect([hers.at(-1), his.at(-1)]).toEqual(['online', 'away']))
    expect([hers, his].map((seen) => new Set(seen))).toEqual([
      new Set(['offline', 'online']),
      new Set(['offline', 'away']),
    ])
    const [contact] = (await bruno.getContacts({})).users
    expect([contact?.userId, contact?.status]).toEqual(['ana', 'away'])
    // A user who shares no group with them is not notified of a block.
    await clara.blockUser({ userId: 'ana' })
    await ana.blockUser({ userId: 'clara' })
    await clara.ping({})
    expect(others).toEqual([])
  })

  it('ends the typing that one of the two sees of the other', async () => {
    const engine = await start()
    const [ana, bruno, clara] = [
      await engine.connect({ userId: 'ana' }),
      await engine.connect({ userId: 'bruno' }),
      await engine.connect({ userId: 'clara' }),
    ]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno', 'clara'] })
    const seen = [ana, bruno, clara].map((session) => {
      const events: string[] = []
      session.on('user_typing', ({ userId }) => events.push(`${userId} types`))
      session.on('user_stopped_typing', ({ userId }) => events.push(`${userId} stopped`))
      return events
    })
    const posts = collect(bruno, 'new_message')
    await clara.sendMessage(text(groupId, 'hello'))
    await eventually(() => expect(posts).toHaveLength(1))
    await ana.typingStart({ groupId })
    await bruno.typingStart({ groupId })
    await eventually(() => expect([seen[0], seen[1]]).toEqual([['bruno types'], ['ana types']]))
    await ana.blockUser({ userId: 'bruno' })
    await eventually(() =>
      expect([seen[0], seen[1]]).toEqual([
        ['bruno types', 'bruno stopped'],
        ['ana types', 'ana stopped'],
      ]),
    )
    await ana.typingStop({ groupId })
    await bruno.typingStop({ groupId })
    await eventually(() => expect(seen[2]).toHaveLength(4))
    expect([seen[0], seen[1]].map((events) => events?.length)).toEqual([2, 2])
  })

  it('hides an invisible user', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    await ana.updateStatus({ status: 'offline' })
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const his = statusesOf(bruno, 'ana')
    const posts = collect(bruno, 'new_message')
    await ana.blockUser({ userId: 'bruno' })
    await ana.unblockUser({ userId: 'bruno' })
    await ana.sendMessage(text(groupId, 'hello'))
    await eventually(() => expect(posts).toHaveLength(1))
    expect(his).toEqual([])
  })
})

describe('a post whose offline members are notified', () => {
  const watchPosts = postReports({ away: true })
  const countPosted = (toHub: () => string[]) => toHub().filter((line) => line.startsWith('posted')).length

  it('needs no read if nobody has blocked the sender, and one read otherwise', async () => {
    const { directory, perform, log, reads, toHub } = aPerformer({}, { watchPosts })
    const send = (seq: number) => {
      perform([record(seq, 0, 'new_message', { message: { ...aPost(seq), senderId: 'bruno' } })])
      log.committed(seq)
    }
    directory.opened('bruno', 1)
    directory.setStatus('bruno', 'online')
    send(1)
    expect([reads.length, countPosted(toHub)]).toEqual([0, 1])
    directory.setBlocked({ userId: 'ana', blocked: ['bruno'], isBlocked: false })
    send(2)
    expect([reads.length, countPosted(toHub)]).toEqual([1, 1])
    reads[0]?.resolve(['ana'])
    await eventually(() => expect(countPosted(toHub)).toBe(1))
    directory.closed('bruno')
    send(3)
    expect(reads).toHaveLength(2)
  })
})
