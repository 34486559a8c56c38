import { describe, expect, it, onTestFinished } from 'vitest'
import { ChatClient } from '../../client/chat-client.ts'
import { systemClock } from '../../client/clock.ts'
import type { ChatClientOptions } from '../../client/options.ts'
import type { Message } from '../../protocol/records.ts'
import { resolveSettings } from '../../server/config.ts'
import { createServer } from '../../server/server.ts'
import { makeToken } from '../../server/token.ts'
import { eventually } from '../support/conditions.ts'
import { startInline, temporaryFolder } from '../support/engines.ts'
import { identityOf, LogModel } from '../support/log-model.ts'
import { ServerProcess, tokenOf as tokenOfProcess } from '../support/server-process.ts'
import { blockWrites } from '../support/storage.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const jwtSecret = 'a secret of thirty-two bytes, and more'
const quiet = { info() {}, warn() {}, error() {} }
/** Reconnects within milliseconds. */
const hasty = { ...systemClock, random: () => 0.01 }

/** A real server over a real engine, behind a network that can be cut. */
async function aServer(): Promise<TcpProxy> {
  const engine = await startInline()
  const server = await createServer({
    engine,
    port: 0,
    host: '127.0.0.1',
    jwtSecret,
    logger: quiet,
    rateLimit: 0,
  })
  onTestFinished(() => server.close())
  return await TcpProxy.start(server.port)
}

function tokenOf(userId: string): Promise<string> {
  return makeToken(resolveSettings({ jwtSecret }), { userId, ttlSeconds: 600 })
}

/** A client that reconnects soon, and what it has shown of each group. */
function aClient(port: number, token: () => Promise<string>, options: Partial<ChatClientOptions> = {}) {
  const client = new ChatClient({ url: `http://127.0.0.1:${port}`, token, clock: hasty, ...options })
  onTestFinished(() => client.close())
  const logs = new Map<string, LogModel>()
  const logOf = (groupId: string) => {
    const log = logs.get(groupId) ?? new LogModel(groupId)
    logs.set(groupId, log)
    return log
  }
  client.on('group_created', (fields) =>
    logOf(fields.groupId).take({ event: 'group_created', ref: 0, fields }),
  )
  client.on('gap', (fields) => logOf(fields.groupId).take({ event: 'gap', ref: 0, fields }))
  client.on('new_message', (fields) => {
    logOf(fields.message.groupId).take({ event: 'new_message', ref: 0, fields })
  })
  const messagesIn = (groupId: string) =>
    [...logOf(groupId).shown.values()].filter((what) => what.includes('/'))
  return { client, logOf, messagesIn }
}

async function historyOf(client: ChatClient, groupId: string): Promise<readonly Message[]> {
  const messages: Message[] = []
  for (;;) {
    const page = await client.getHistory({ groupId, after: messages.at(-1)?.seq ?? 0, limit: 200 })
    messages.push(...page.messages)
    if (!page.hasMore) return messages
  }
}

describe('the client with a real server', () => {
  it('has the methods and events of a session in the process', async () => {
    const { port } = await aServer()
    const ana = aClient(port, () => tokenOf('ana'))
    const bruno = aClient(port, () => tokenOf('bruno'))
    expect(await ana.client.connect()).toMatchObject({ userId: 'ana', groups: [] })
    await bruno.client.connect()
    const group = await ana.client.createGroup({ kind: 'group', name: 'Kitchen', members: ['bruno'] })
    const received = new Promise<Message>((resolve) => {
      bruno.client.on('new_message', ({ message }) => resolve(message))
    })
    const { message } = await ana.client.sendMessage({ groupId: group.groupId, content: 'olá' })
    expect(await received).toEqual(message)
    expect((await bruno.client.getGroups({})).groups[0]).toMatchObject({ unread: 1 })
    await expect(bruno.client.removeMember({ groupId: group.groupId, userId: 'ana' })).rejects.toMatchObject({
      code: 'role_needed',
    })
    await bruno.client.leaveGroup({ groupId: group.groupId })
  })

  it('delivers each event once and in one order on both sides, however often the network fails', async () => {
    const proxy = await aServer()
    const ana = aClient(proxy.port, () => tokenOf('ana'))
    const bruno = aClient(proxy.port, () => tokenOf('bruno'), { sendWindow: 8 })
    await Promise.all([ana.client.connect(), bruno.client.connect()])
    const groups = ['kitchen', 'attic']
    for (const groupId of groups) {
      await ana.client.createGroup({ kind: 'group', groupId, members: ['bruno'] })
    }
    await eventually(() => Promise.all(groups.map((groupId) => bruno.client.getHistory({ groupId }))))

    const each = 100
    let received = 0
    let cuts = 0
    bruno.client.on('new_message', () => {
      received += 1
      // At another point each time, in the midst of what is on its way.
      if (received % 37 === 0) {
        cuts += 1
        proxy.cut()
      }
    })
    const sends = groups.flatMap((groupId) =>
      [ana, bruno].flatMap(({ client }) =>
        Array.from({ length: each }, (_, i) => client.sendMessage({ groupId, content: `${i}` })),
      ),
    )
    await Promise.all(sends)
    expect(cuts).toBeGreaterThan(5)

    for (const groupId of groups) {
      const history = await eventually(() => historyOf(ana.client, groupId))
      expect(history).toHaveLength(2 * each)
      for (const { logOf, messagesIn } of [ana, bruno]) {
        await eventually(() => expect(messagesIn(groupId)).toEqual(history.map(identityOf)))
        expect(logOf(groupId).violations).toEqual([])
      }
      const ofAna = history.filter(({ senderId }) => senderId === 'ana')
      expect(ofAna.map(({ content }) => Number(content))).toEqual(Array.from({ length: each }, (_, i) => i))
    }
  })

  it('delivers changes and receipts, and replays the missed changes', async () => {
    const { target } = await aServer()
    const line = await TcpProxy.start(target)
    const ana = aClient(target, () => tokenOf('ana')).client
    const bruno = aClient(line.port, () => tokenOf('bruno')).client
    await Promise.all([ana.connect(), bruno.connect()])
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const received: string[] = []
    const seqs: number[] = []
    const note = (seq: number, what: string) => {
      seqs.push(seq)
      received.push(what)
    }
    bruno.on('new_message', ({ message: { seq, content } }) => note(seq, content))
    bruno.on('message_edited', ({ seq, content }) => note(seq, `edited: ${content}`))
    bruno.on('reaction_changed', ({ seq, emoji, added }) => note(seq, `${added ? '+' : '-'}${emoji}`))
    bruno.on('message_recalled', ({ seq }) => note(seq, 'recalled'))
    bruno.on('message_deleted', ({ seq }) => note(seq, 'deleted'))
    const read: string[] = []
    ana.on('message_read', ({ messageIds, readBy }) => read.push(`${readBy} ${messageIds.join()}`))

    const first = (await ana.sendMessage({ groupId, content: 'olá' })).message
    const second = (await ana.sendMessage({ groupId, content: 'adeus' })).message
    await eventually(() => expect(received).toEqual(['olá', 'adeus']))
    await bruno.messageRead({ groupId, messageIds: [first.messageId] })
    await eventually(() => expect(read).toEqual([`bruno ${first.messageId}`]))

    // Nothing listens there: Bruno stays away until all is done.
    line.target = 1
    line.cut()
    await ana.editMessage({ messageId: first.messageId, content: 'bom dia' })
    await ana.react({ messageId: first.messageId, emoji: '👍' })
    await ana.unreact({ messageId: first.messageId, emoji: '👍' })
    await ana.recallMessage({ messageId: second.messageId })
    await ana.deleteMessage({ messageId: first.messageId })
    await ana.sendMessage({ groupId, content: 'then' })
    expect(received).toHaveLength(2)
    line.target = target
    await eventually(() => expect(received.at(-1)).toBe('then'))
    // The content of an edit is deleted with its message.
    expect(received.slice(2)).toEqual(['edited: ', '+👍', '-👍', 'recalled', 'deleted', 'then'])
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
  })

  it('reverts what a crash lost, and sends its messages again, so that all clients agree', async () => {
    const dataDir = temporaryFolder()
    let server = await ServerProcess.start(dataDir)
    const proxy = await TcpProxy.start(server.port)
    const ana = aClient(proxy.port, () => tokenOfProcess('ana'), { sendWindow: 16 })
    const bruno = aClient(proxy.port, () => tokenOfProcess('bruno'))
    const gaps: unknown[] = []
    let shown = 0
    bruno.client.on('gap', (fields) => gaps.push(fields))
    bruno.client.on('new_message', () => {
      shown += 1
    })
    await Promise.all([ana.client.connect(), bruno.client.connect()])
    const { groupId } = await ana.client.createGroup({ kind: 'group', members: ['bruno'] })

    const sends: ReturnType<ChatClient['sendMessage']>[] = []
    for (let round = 0; round < 3; round++) {
      const before = bruno.logOf(groupId).lastSeq
      // New messages are shown to members, but cannot be stored.
      const unblock = round === 0 ? () => {} : blockWrites(dataDir)
      for (let i = 0; i < 40; i++) {
        const { client } = i % 2 === 0 ? ana : bruno
        sends.push(client.sendMessage({ groupId, content: `${round}-${i}` }))
      }
      await eventually(() => expect(bruno.logOf(groupId).lastSeq).toBeGreaterThan(before))
      await server.kill()
      unblock()
      server = await ServerProcess.start(dataDir)
      proxy.target = server.port
      await eventually(() => expect(gaps).toHaveLength(round + 1))
    }
    const sent = await Promise.all(sends)
    const history = await eventually(() => historyOf(ana.client, groupId))
    expect(history).toHaveLength(sends.length)
    await eventually(() =>
      expect(shown, 'some were shown, taken back, and shown again').toBeGreaterThan(history.length),
    )
    expect(new Set(history.map(({ messageId }) => messageId))).toEqual(
      new Set(sent.map(({ message }) => message.messageId)),
    )
    for (const { logOf, messagesIn } of [ana, bruno]) {
      await eventually(() => expect(messagesIn(groupId)).toEqual(history.map(identityOf)))
      expect(logOf(groupId).violations).toEqual([])
    }
    expect(await server.stop()).toBe(0)
  }, 60_000)
})
