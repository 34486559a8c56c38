import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../protocol/records.ts'
import { Chatter } from '../support/chatter.ts'
import { eventually } from '../support/conditions.ts'
import { temporaryFolder } from '../support/engines.ts'
import { childrenOf, FrontServer } from '../support/front-server.ts'
import { identityOf } from '../support/log-model.ts'
import { tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'

const GROUP = 'kitchen'
const MEMBERS = Array.from({ length: 12 }, (_, i) => `u${i}`)

async function createGroup(port: number): Promise<void> {
  const owner = new SocketClient(port, { token: await tokenOf('owner') })
  await owner.next('connected')
  owner.send('create_group', 1, { kind: 'group', groupId: GROUP, members: MEMBERS })
  await owner.next('group')
  owner.ws.terminate()
}

function startAll(port: number, inFlight = 2): Promise<Chatter[]> {
  return Promise.all(MEMBERS.map((userId) => new Chatter(port, userId, GROUP, inFlight).start()))
}

/** Connections by front, as /metrics shows them. */
async function connectionsByFront(port: number): Promise<readonly number[]> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return [...text.matchAll(/^tertulia_connections\{front="\d+"\} (\d+)$/gm)].map((match) => Number(match[1]))
}

/** Ends the load, and checks what everybody saw against the history. */
async function checkAll(port: number, chatters: readonly Chatter[]): Promise<void> {
  for (const chatter of chatters) chatter.finish()
  await eventually(() => expect(chatters.map(({ unanswered }) => unanswered)).toEqual(chatters.map(() => 0)))
  const history = await wholeHistory(port)
  const newest = history.at(-1)?.seq ?? 0
  await eventually(() =>
    expect(chatters.map(({ model }) => model.lastSeq)).toEqual(chatters.map(() => newest)),
  )
  const bySeq = new Map(history.map((message) => [message.seq, identityOf(message)]))
  // No message is stored twice. // IDM-1
  expect(new Set(bySeq.values()).size).toBe(bySeq.size)
  for (const { userId, acknowledged, model, violations } of chatters) {
    expect([userId, violations, model.violations]).toEqual([userId, [], []])
    // Nothing acknowledged is lost. // DUR-1
    const lost = [...acknowledged].filter(([tempId, seq]) => bySeq.get(seq) !== `${userId}/${tempId}`)
    expect([userId, lost]).toEqual([userId, []])
    // Everybody has seen exactly the history. // ORD-1
    const shown = [...model.shown].filter(([, what]) => what.includes('/'))
    expect([userId, shown]).toEqual([userId, [...bySeq]])
  }
  for (const chatter of chatters) chatter.end()
}

async function wholeHistory(port: number): Promise<Message[]> {
  const reader = new SocketClient(port, { token: await tokenOf('owner') })
  await reader.next('connected')
  const messages: Message[] = []
  for (let after = 0, ref = 1; ; ref++) {
    reader.send('get_history', ref, { groupId: GROUP, after, limit: 200 })
    const { fields } = await reader.next('history')
    messages.push(...fields.messages)
    if (!fields.hasMore) break
    after = fields.messages.at(-1)?.seq ?? 0
  }
  reader.ws.terminate()
  return messages
}

/** Waits until every chatter has had so many more answers. */
async function moreAnswers(chatters: readonly Chatter[], each: number): Promise<void> {
  const before = chatters.map(({ acknowledged }) => acknowledged.size)
  await eventually(() => {
    const slow = chatters.filter(({ acknowledged }, i) => acknowledged.size < (before[i] ?? 0) + each)
    expect(slow.map(({ userId }) => userId)).toEqual([])
  })
}

describe('a server with two fronts', () => {
  it('serves one group to the clients of both, and stops without a trace', async () => {
    const dataDir = temporaryFolder()
    const server = await FrontServer.start(dataDir)
    await createGroup(server.port)
    const chatters = await startAll(server.port)
    await eventually(async () => {
      const counts = await connectionsByFront(server.port)
      expect(counts).toHaveLength(2)
      expect(Math.min(...counts)).toBeGreaterThan(0)
    })
    await moreAnswers(chatters, 5)
    await checkAll(server.port, chatters)
    expect(chatters.flatMap(({ closes }) => closes)).toEqual([])

    const pid = server.command.child.pid as number
    expect(childrenOf(pid)).toHaveLength(3)
    expect(await server.stop()).toBe(0)
    expect(childrenOf(pid)).toEqual([])
    expect(readdirSync(dataDir).filter((name) => name.endsWith('.sock'))).toEqual([])
    expect(server.command.err).toEqual([])
  })

  it('starts a front again that was killed; its clients resume on the other', async () => {
    const dataDir = temporaryFolder()
    const server = await FrontServer.start(dataDir, { LOG_LEVEL: 'fatal' })
    await createGroup(server.port)
    const chatters = await startAll(server.port)
    await moreAnswers(chatters, 3)
    const [first = 0] = server.pids().fronts
    process.kill(first, 'SIGKILL')
    await eventually(async () => expect(await connectionsByFront(server.port)).toHaveLength(2))
    await moreAnswers(chatters, 3)
    await checkAll(server.port, chatters)
    for (const { closes } of chatters) expect(closes.length).toBeLessThanOrEqual(1)
    expect(server.pids().fronts).not.toContain(first)
    const sockets = () => readdirSync(dataDir).filter((name) => name.startsWith('front-'))
    expect(sockets().sort()).toEqual(
      server
        .pids()
        .fronts.map((pid) => `front-${pid}.sock`)
        .sort(),
    )
  })

  it('closes no socket and loses nothing when its engine is killed under load', async () => {
    const server = await FrontServer.start(temporaryFolder(), { LOG_LEVEL: 'fatal' })
    await createGroup(server.port)
    const chatters = await startAll(server.port)
    for (let round = 0; round < 4; round++) {
      await moreAnswers(chatters, 3)
      const { engine } = server.pids()
      process.kill(engine, 'SIGKILL')
      await eventually(() => expect([0, engine]).not.toContain(server.pids().engine))
    }
    await moreAnswers(chatters, 3)
    await checkAll(server.port, chatters)
    expect(chatters.flatMap(({ closes }) => closes)).toEqual([])
  })

  it('is deployed under load: each client is disconnected once, of an engine alone none', async () => {
    const server = await FrontServer.start(temporaryFolder())
    await createGroup(server.port)
    const chatters = await startAll(server.port)
    await moreAnswers(chatters, 3)
    const before = server.pids()

    expect(await server.deploy('--engine-only')).toEqual(['the engine is replaced'])
    await moreAnswers(chatters, 3)
    expect(chatters.flatMap(({ closes }) => closes)).toEqual([])
    const between = server.pids()
    expect(between.fronts).toEqual(before.fronts)
    expect(between.engine).not.toBe(before.engine)

    expect(await server.deploy()).toEqual([
      'the engine is replaced',
      '2 new fronts accept connections',
      'front 1 is replaced',
      'front 2 is replaced',
    ])
    await moreAnswers(chatters, 3)
    expect(chatters.map(({ closes }) => closes.map(({ code }) => code))).toEqual(chatters.map(() => [1001]))
    const after = server.pids()
    for (const pid of [...between.fronts, between.engine])
      expect([...after.fronts, after.engine]).not.toContain(pid)
    await checkAll(server.port, chatters)
    expect(await server.stop()).toBe(0)
    expect(server.command.err).toEqual([])
  })
})
