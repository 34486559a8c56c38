import { describe, expect, it } from 'vitest'
import type { Attach } from '../../../engine/actors/mail.ts'
import { Attaching, type AttachingDeps } from '../../../engine/shards/attaching.ts'
import type { Standing } from '../../../engine/stored/stored-user.ts'
import { eventually } from '../../support/conditions.ts'
import { startInline, temporaryFolder } from '../../support/engines.ts'
import { collect, text } from '../../support/sessions.ts'

type State = ReturnType<AttachingDeps['stateOf']>

/** The result for sessions whose groups are in the given states, two groups per turn. */
function attaching(states: Readonly<Record<string, State>> = {}, open = true) {
  const done: string[] = []
  const turns: (() => void)[] = []
  const since: number[] = []
  const delivered: Attach[] = []
  const tested = new Attaching(
    {
      stateOf(groupId, _mail, sinceMs) {
        since.push(sinceMs)
        return states[groupId] ?? 'unchanged'
      },
      deliver(groupId, mail) {
        done.push(`load ${groupId}`)
        delivered.push(mail)
      },
      subscribe: (session, groupIds) => done.push(`subscribe ${session} ${groupIds.join()}`),
      isOpen: () => open,
      later: (then) => turns.push(then),
    },
    2,
  )
  const attach = (session: number, ...groups: Standing[]) =>
    tested.attach({ session, userId: 'ana', readAtMs: 5_000, groups })
  return { tested, attach, done, turns, since, delivered }
}

// INP-2
describe('attaching', () => {
  it('subscribes a session at once to all groups of which it has seen every event', () => {
    const { attach, done } = attaching({ g: 'caught-up', h: 'unchanged' })
    attach(5, ['g', 1, 7, 0], ['h', 2, 9, 0])
    expect(done).toEqual(['subscribe 5 g,h'])
  })

  it('leaves a group to its actor if it has shown more, was released since, or has numbers in doubt', () => {
    const { attach, done, delivered } = attaching({ g: 'other', h: 'unchanged' })
    attach(5, ['g', 1, 7, 0], ['h', 2, 9, 1])
    expect(done).toEqual(['load g', 'load h'])
    expect(delivered[0]).toEqual({ type: 'attach', session: 5, userId: 'ana', joinedSeq: 1, from: 7 })
  })

  it('does not load a group because of the lease that it has while it is loaded', () => {
    const { attach, done } = attaching({ g: 'caught-up' })
    attach(5, ['g', 1, 7, 1])
    expect(done).toEqual(['subscribe 5 g'])
  })

  it('counts changes from a second before the read, as the clocks of two threads may differ', () => {
    const { attach, since } = attaching()
    attach(5, ['g', 1, 7, 0])
    expect(since).toEqual([4_000])
  })

  it('handles many groups in several turns, in order', () => {
    const { tested, attach, done, turns } = attaching()
    attach(5, ['a', 1, 1, 0], ['b', 1, 1, 0], ['c', 1, 1, 0])
    attach(6, ['d', 1, 1, 0], ['e', 1, 1, 0])
    expect([done, tested.size, turns.length]).toEqual([['subscribe 5 a,b'], 3, 1])
    turns.shift()?.()
    expect(done.slice(1)).toEqual(['subscribe 5 c', 'subscribe 6 d'])
    turns.shift()?.()
    expect([done.slice(3), tested.size, turns.length]).toEqual([['subscribe 6 e'], 0, 0])
  })

  it('finishes queued groups before the work that comes after them', () => {
    const { tested, attach, done, turns } = attaching()
    attach(5, ['a', 1, 1, 0], ['b', 1, 1, 0], ['c', 1, 1, 0])
    tested.finish()
    expect(done).toEqual(['subscribe 5 a,b', 'subscribe 5 c'])
    turns.shift()?.()
    expect([done.length, tested.size, turns.length]).toEqual([2, 0, 0])
  })

  it('does nothing for a session that has ended', () => {
    const { tested, attach, done } = attaching({}, false)
    attach(5, ['a', 1, 1, 0], ['b', 1, 1, 0])
    expect([done, tested.size]).toEqual([[], 0])
  })

  it('loads no group for a session that connects, and the session receives all later events', async () => {
    const dataDir = temporaryFolder()
    const first = await startInline({ dataDir })
    const maker = await first.connect({ userId: 'ana' })
    const ids: string[] = []
    for (let i = 0; i < 20; i++) {
      ids.push((await maker.createGroup({ kind: 'group', members: ['bruno'] })).groupId)
    }
    await first.close()

    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const bruno = await engine.connect({ userId: 'bruno' })
    const received = collect(bruno, 'new_message')
    expect((await engine.stats()).shards[0]).toMatchObject({ groups: 0 })
    for (const id of ids) await ana.sendMessage(text(id, id))
    await eventually(() => expect(received.map(({ message }) => message.groupId)).toEqual(ids))
  })
})
