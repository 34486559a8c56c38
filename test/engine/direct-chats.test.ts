/**
 * Direct chats: nobody else can compute or take their ids, and ids in older data folders remain.
 */
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { databasePath } from '../../engine/storage/sqlite/database.ts'
import { directId, unkeyedDirectId } from '../../engine/storage/sqlite/direct-id.ts'
import { eventually } from '../support/conditions.ts'
import { modes, startInline, temporaryFolder } from '../support/engines.ts'
import { collect, text } from '../support/sessions.ts'

const ids = ({ members }: { members?: readonly { userId: string }[] | undefined }) =>
  members?.map(({ userId }) => userId).sort()

/** Gives a group of a stopped engine's folder another id, as an older version would have assigned it. */
function rename(dataDir: string, from: string, to: string): void {
  const db = new Database(databasePath(dataDir))
  db.prepare('UPDATE groups SET group_id = ? WHERE group_id = ?').run(to, from)
  db.prepare('UPDATE leases SET group_id = ? WHERE group_id = ?').run(to, from)
  db.close()
}

// IDN-4
describe('directId', () => {
  const key = new Uint8Array(32)

  it('is the same for each order of the pair, and depends on the key', () => {
    expect(directId(key, 'ana', 'bruno')).toBe(directId(key, 'bruno', 'ana'))
    expect(directId(key, 'ana', 'bruno')).toMatch(/^d_[A-Za-z0-9_-]{27}$/)
    expect(directId(key, 'ac', 'b')).not.toBe(directId(key, 'a', 'cb'))
    expect(directId(key, 'ana', 'bruno')).not.toBe(directId(key.fill(1), 'ana', 'bruno'))
    expect(directId(key, 'ana', 'bruno')).not.toBe(unkeyedDirectId('ana', 'bruno'))
  })
})

describe.each(modes)('direct chats, $mode', ({ start }) => {
  // IDN-3
  it('have a prefix that no other id may begin with, for any kind', async () => {
    const engine = await start()
    const mallory = await engine.connect({ userId: 'mallory' })
    for (const kind of ['group', 'direct'] as const) {
      for (const groupId of [unkeyedDirectId('ana', 'bruno'), 'd_', 'd_x']) {
        await expect(mallory.createGroup({ kind, groupId, members: ['ana'] })).rejects.toMatchObject({
          code: 'bad_request',
          field: 'groupId',
        })
      }
    }
    await mallory.createGroup({ kind: 'group', groupId: 'D_x' })
    await mallory.createGroup({ kind: 'group', groupId: 'dd_x' })
  })

  // IDN-4
  it('have different ids in different data folders', async () => {
    const made: string[] = []
    for (const engine of [await start(), await start()]) {
      const ana = await engine.connect({ userId: 'ana' })
      const { groupId } = await ana.createGroup({ kind: 'direct', members: ['bruno'] })
      const bruno = await engine.connect({ userId: 'bruno' })
      expect((await bruno.createGroup({ kind: 'direct', members: ['ana'] })).groupId).toBe(groupId)
      made.push(groupId)
    }
    expect(new Set([...made, unkeyedDirectId('ana', 'bruno')]).size).toBe(3)
  })

  it('retain the id of an older version, also after restarts', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir })
    const before = await first.connect({ userId: 'ana' })
    const made = await before.createGroup({ kind: 'direct', members: ['bruno'] })
    await before.sendMessage(text(made.groupId, 'from before'))
    await first.close()
    const old = unkeyedDirectId('ana', 'bruno')
    rename(dataDir, made.groupId, old)

    const engine = await start({ dataDir })
    const bruno = await engine.connect({ userId: 'bruno' })
    const found = await bruno.createGroup({ kind: 'direct', members: ['ana'] })
    expect([found.groupId, found.kind, ids(found)]).toEqual([old, 'direct', ['ana', 'bruno']])
    const { messages } = await bruno.getHistory({ groupId: old })
    expect(messages.map(({ content }) => content)).toEqual(['from before'])
  })

  it('are not the group that a stranger created with their id before ids were keyed', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir })
    const before = await first.connect({ userId: 'mallory' })
    await before.createGroup({ kind: 'group', groupId: 'both', members: ['ana', 'bruno'] })
    await before.createGroup({ kind: 'group', groupId: 'none' })
    const wrongPair = await before.createGroup({ kind: 'direct', members: ['eva'] })
    await first.close()
    rename(dataDir, 'both', unkeyedDirectId('ana', 'bruno'))
    rename(dataDir, 'none', unkeyedDirectId('ana', 'clara'))
    rename(dataDir, wrongPair.groupId, unkeyedDirectId('ana', 'dora'))

    const engine = await start({ dataDir })
    const mallory = await engine.connect({ userId: 'mallory' })
    const received = collect(mallory, 'new_message')
    const ana = await engine.connect({ userId: 'ana' })
    for (const other of ['bruno', 'clara', 'dora']) {
      const chat = await ana.createGroup({ kind: 'direct', members: [other] })
      expect([chat.kind, ids(chat)]).toEqual(['direct', ['ana', other]])
      expect(chat.groupId).not.toBe(unkeyedDirectId('ana', other))
      await ana.sendMessage(text(chat.groupId, `for ${other} only`))
    }
    const own = await mallory.createGroup({ kind: 'group' })
    await mallory.sendMessage(text(own.groupId, 'last'))
    await eventually(() => expect(received.map(({ message }) => message.content)).toEqual(['last']))
  })
})

it('are one chat if both users create it at once', async () => {
  const engine = await startInline()
  const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
  const [one, other] = await Promise.all([
    ana.createGroup({ kind: 'direct', members: ['bruno'] }),
    bruno.createGroup({ kind: 'direct', members: ['ana'] }),
  ])
  expect(one.groupId).toBe(other.groupId)
})
