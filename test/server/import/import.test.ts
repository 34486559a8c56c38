import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lockDirectory, openWriter } from '../../../engine/storage/sqlite/database.ts'
import { Writer } from '../../../engine/storage/sqlite/writer.ts'
import { eventually } from '../../support/conditions.ts'
import { startInline, temporaryFolder } from '../../support/engines.ts'
import { ServerProcess } from '../../support/server-process.ts'
import { collect, text } from '../../support/sessions.ts'
import {
  AT,
  fileOf,
  historyOf,
  imported,
  importProcess,
  kitchen,
  member,
  message,
  runImport,
  storedMessages,
} from './import-harness.ts'

const chat = [kitchen, member('ana'), member('bob', { joinedAt: '2023-05-17T12:00:01.500Z' })]

describe('tertulia import', () => {
  // IDM-1, IDN-6
  it('imports messages in the order of the file, with their times, ids and replies', async () => {
    const dataDir = await imported(
      { record: 'user', userId: 'ana', name: 'Ana Sílva', picture: 'https://x.example/a.png' },
      ...chat,
      message(1),
      message(2, {
        senderId: 'bob',
        replyToId: 'm1',
        mentions: ['ana', 'ana'],
        createdAt: '2023-05-17T12:00:02Z',
      }),
      message(3, {
        senderId: 'eva',
        type: 'IMAGE',
        content: 'https://x.example/p.png',
        editedAt: AT + 9_000,
      }),
    )
    const messages = await historyOf(dataDir, 'bob')
    expect(messages).toEqual([
      expect.objectContaining({
        seq: 4,
        tempId: 'm1',
        createdAt: AT + 1_000,
        senderName: 'Ana Sílva',
        content: 'message 1',
      }),
      expect.objectContaining({
        tempId: 'm2',
        createdAt: AT + 2_000,
        senderId: 'bob',
        replyToId: 'kitchen:4',
        mentions: ['ana'],
      }),
      expect.objectContaining({ tempId: 'm3', senderId: 'eva', type: 'image', editedAt: AT + 9_000 }),
    ])
  })

  it('imports groups with their properties and members with their roles and times', async () => {
    const group = { ...kitchen, topic: 'bread', visibility: 'open', avatarUrl: 'https://x.example/k.png' }
    const dataDir = await imported(
      group,
      member('ana'),
      member('bob', { role: 'moderator' }),
      member('eva', { joinedAt: AT + 5 }),
    )
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groups } = await ana.getGroups({})
    expect(groups[0]?.group).toMatchObject({
      groupId: 'kitchen',
      kind: 'group',
      name: 'Kitchen',
      topic: 'bread',
      visibility: 'open',
      avatarUrl: 'https://x.example/k.png',
      createdBy: 'ana',
      createdAt: AT,
      memberCount: 3,
    })
    const { members } = await ana.getMembers({ groupId: 'kitchen' })
    expect(members.map(({ userId, role, joinedAt }) => [userId, role, joinedAt]).sort()).toEqual([
      ['ana', 'admin', AT],
      ['bob', 'moderator', AT],
      ['eva', 'member', AT + 5],
    ])
  })

  // IDN-5, CUP-1
  // RCT-1, PIN-1
  it('imports reactions, pins and bans, once', async () => {
    const chatWith = [
      { ...kitchen, visibility: 'open' },
      ...chat.slice(1),
      message(1, {
        reactions: [
          { emoji: '❤', userIds: ['bob', 'eva', 'bob'] },
          { emoji: '❤️', userIds: ['ana'] },
          { emoji: ':wave:', userIds: [] },
        ],
        pinnedAt: AT + 5_000,
      }),
      message(2, { pinnedAt: AT + 4_000, pinnedBy: 'bob', editedAt: AT + 6_000 }),
      { record: 'ban', groupId: 'kitchen', userId: 'eva' },
      { record: 'ban', groupId: 'kitchen', userId: 'bob' },
    ]
    const dataDir = temporaryFolder()
    for (let run = 0; run < 2; run++) {
      const { code, err } = await runImport(dataDir, fileOf(...chatWith))
      expect(code).toBe(0)
      expect(err).toContain(
        '1 pins above the limit of their group, and bans of its members, are not imported',
      )
    }
    const [first, second] = await historyOf(dataDir, 'ana')
    const hearts = { emoji: '❤️', userIds: ['bob', 'eva', 'ana'], count: 3 }
    expect(first).toMatchObject({ tempId: 'm1', reactions: [hearts], pinnedAt: AT + 5_000 })
    expect(second).toMatchObject({ tempId: 'm2', pinnedAt: AT + 4_000, editedAt: AT + 6_000 })
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { messages } = await ana.getPins({ groupId: 'kitchen' })
    expect(messages.map(({ tempId }) => tempId)).toEqual(['m2', 'm1'])
    const eva = await engine.connect({ userId: 'eva' })
    await expect(eva.joinGroup({ groupId: 'kitchen' })).rejects.toMatchObject({ code: 'banned' })
    await ana.unpinMessage({ messageId: messages[0]?.messageId ?? '' })
    await engine.close()
  })

  it('imports as many pins as a group may have', async () => {
    const pinned = Array.from({ length: 101 }, (_, i) => message(i, { pinnedAt: AT + i }))
    const dataDir = temporaryFolder()
    const { err } = await runImport(dataDir, fileOf(...chat, ...pinned))
    expect(err).toContain('1 pins above the limit')
    expect((await historyOf(dataDir, 'ana')).filter(({ pinnedAt }) => pinnedAt !== undefined).length).toBe(
      100,
    )
  })

  it('continues the numbers of the group, and replays what was imported like any event', async () => {
    const dataDir = await imported(...chat, message(1), message(2))
    const engine = await startInline({ dataDir })
    const bob = await engine.connect({ userId: 'bob' })
    const joined = collect(bob, 'user_joined_group')
    const messages = collect(bob, 'new_message')
    expect((await bob.sendMessage(text('kitchen', 'new'))).message.seq).toBe(6)
    await bob.resume({ groups: [['kitchen', 0]] })
    // From the join of the user on.
    expect(joined.map(({ seq, userId }) => [seq, userId])).toEqual([[3, 'bob']])
    expect(
      messages.map(({ message: { seq, tempId } }) => [seq, tempId]).filter(([seq]) => seq !== 6),
    ).toEqual([
      [4, 'm1'],
      [5, 'm2'],
    ])
  })

  // SRC-1
  it('has what it imported in the search index, also in a folder that has one', async () => {
    const dataDir = await imported(...chat, message(1, { content: 'fresh bread' }))
    const found = async (query: string) => {
      const engine = await startInline({ dataDir })
      const bob = await engine.connect({ userId: 'bob' })
      const hits = await eventually(async () => {
        const page = await bob.search({ query })
        expect(page.hits).not.toEqual([])
        return page.hits
      })
      await engine.close()
      return hits.map((hit) => hit.message.tempId)
    }
    expect(await found('bread')).toEqual(['m1'])
    expect((await runImport(dataDir, fileOf(message(2, { content: 'olive oil' })))).code).toBe(0)
    expect(await found('olive')).toEqual(['m2'])
  })

  it('imports nothing twice: neither a repeated file nor what follows in a grown one', async () => {
    const dataDir = temporaryFolder()
    const file = fileOf(...chat, message(1), message(2), message(2, { content: 'the same id' }))
    expect(await runImport(dataDir, file)).toMatchObject({
      code: 0,
      out: expect.stringContaining(
        'imported 2 messages, 1 groups, 2 members (1 messages were imported before)',
      ),
    })
    expect(await runImport(dataDir, file)).toMatchObject({
      code: 0,
      out: expect.stringContaining('imported 0 messages, 0 groups, 0 members (3 messages'),
    })
    appendFileSync(file, JSON.stringify(message(3)))
    expect((await runImport(dataDir, file)).out).toContain('imported 1 messages')
    expect((await historyOf(dataDir, 'ana')).map(({ seq, content }) => [seq, content])).toEqual([
      [4, 'message 1'],
      [5, 'message 2'],
      [6, 'message 3'],
    ])
  })

  it('continues after kill -9 in the middle: everything once, in the order of the file', async () => {
    const dataDir = temporaryFolder()
    const count = 30_000
    const file = join(temporaryFolder(), 'history.ndjson')
    const lines = [
      ...chat,
      ...Array.from({ length: count }, (_, i) =>
        message(i, { createdAt: AT + i, content: `${i} `.padEnd(800, 'x') }),
      ),
    ]
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const child = spawn(process.execPath, [ServerProcess.main, 'import', file], {
      env: { PATH: process.env['PATH'], DATA_DIR: dataDir },
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    await eventually(() => expect(storedMessages(dataDir)).toBeGreaterThan(0))
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
    const before = storedMessages(dataDir)
    expect(before).toBeLessThan(count)
    expect(await importProcess(dataDir, file)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`(${before} messages were imported before)`),
    })
    const messages = await historyOf(dataDir, 'bob')
    expect(messages.length).toBe(count)
    expect(messages.every(({ seq, tempId }, i) => seq === i + 4 && tempId === `m${i}`)).toBe(true)
  }, 120_000)

  it('refuses a data folder that a server uses, and creates none for a file that it cannot read', async () => {
    const dataDir = temporaryFolder()
    await startInline({ dataDir })
    expect(await runImport(dataDir, fileOf(kitchen))).toMatchObject({
      code: 1,
      err: expect.stringContaining('another process uses it'),
    })
    const missing = join(temporaryFolder(), 'missing')
    expect(await runImport(missing, join(dataDir, 'nothing.ndjson'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/nothing\.ndjson cannot be read: it does not exist$/),
    })
    expect(await runImport(missing, dataDir)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/ cannot be read: it is a folder$/),
    })
    expect(existsSync(missing)).toBe(false)
  })

  // GAP-1, IDN-5
  it('uses no number that a crashed server may have shown', async () => {
    const dataDir = await imported(...chat, message(1))
    const lock = lockDirectory(dataDir)
    const writer = new Writer(openWriter(dataDir, 'process'))
    writer.commit([{ type: 'lease', groupId: 'kitchen', ceiling: 100 }])
    writer.close()
    lock.release()
    expect((await runImport(dataDir, fileOf(message(1), message(2)))).code).toBe(0)
    expect((await historyOf(dataDir, 'ana')).map(({ seq }) => seq)).toEqual([4, 102])
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    expect((await ana.getHistory({ groupId: 'kitchen' })).gaps).toEqual([{ seq: 101, from: 5, to: 100 }])
  })

  // IDN-4
  it('imports a direct chat as the one that its two users open', async () => {
    const dataDir = await imported(
      { record: 'group', groupId: 'room 17', kind: 'direct', members: ['ana', 'bob'], createdAt: AT },
      message(1, { groupId: 'room 17' }),
      { record: 'group', groupId: 'room 18', kind: 'direct', members: ['bob', 'ana'], createdAt: AT },
      message(2, { groupId: 'room 18' }),
      message(3, { groupId: 'room 17' }),
    )
    const engine = await startInline({ dataDir })
    const bob = await engine.connect({ userId: 'bob' })
    const { groupId } = await bob.createGroup({ kind: 'direct', members: ['ana'] })
    const { messages } = await bob.getHistory({ groupId })
    expect(messages.map(({ tempId }) => tempId)).toEqual(['m1', 'm2', 'm3'])
    expect((await runImport(temporaryFolder(), fileOf(message(1)))).code).toBe(1)
  })

  // GRP-3
  it('does not return a user who has left since', async () => {
    const file = fileOf(...chat, message(1))
    const dataDir = temporaryFolder()
    await runImport(dataDir, file)
    const engine = await startInline({ dataDir })
    const bob = await engine.connect({ userId: 'bob' })
    await bob.leaveGroup({ groupId: 'kitchen' })
    await engine.close()
    expect((await runImport(dataDir, file)).code).toBe(0)
    const again = await startInline({ dataDir })
    expect((await (await again.connect({ userId: 'bob' })).getGroups({})).groups).toEqual([])
  })
})

describe('read marks after tertulia import', () => {
  async function unreadOf(dataDir: string) {
    const engine = await startInline({ dataDir })
    const listings = await Promise.all(
      ['ana', 'bob', 'eva'].map(async (userId) => {
        const session = await engine.connect({ userId })
        const { groups } = await session.getGroups({})
        return [userId, groups[0]?.unread, groups[0]?.mentions]
      }),
    )
    await engine.close()
    return listings
  }

  // UNR-1, RCP-1
  it('what was imported counts as read, except above the mark of a read record', async () => {
    const dataDir = await imported(
      ...chat,
      member('eva'),
      message(1),
      message(2),
      message(3, { mentions: ['bob'] }),
      message(4, { senderId: 'bob' }),
      { record: 'read', groupId: 'kitchen', userId: 'bob', id: 'm2' },
    )
    expect(await unreadOf(dataDir)).toEqual([
      ['ana', 0, 0],
      ['bob', 1, 1],
      ['eva', 0, 0],
    ])
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const [first] = (await ana.getHistory({ groupId: 'kitchen' })).messages
    expect(await ana.getReceipts({ messageId: first?.messageId ?? '' })).toMatchObject({
      readCount: 2,
      deliveredCount: 2,
    })
  })

  it('a member who has unread messages retains them', async () => {
    const dataDir = await imported(...chat, member('eva'), message(1))
    const engine = await startInline({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { message: sent } = await ana.sendMessage(text('kitchen', 'new'))
    const eva = await engine.connect({ userId: 'eva' })
    await eva.messageRead({ groupId: 'kitchen', messageIds: [sent.messageId] })
    await engine.close()
    expect((await runImport(dataDir, fileOf(message(2), message(3)))).code).toBe(0)
    expect((await unreadOf(dataDir)).slice(1)).toEqual([
      ['bob', 3, 0],
      ['eva', 0, 0],
    ])
  })
})
