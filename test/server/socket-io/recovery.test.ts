/**
 * Connection state recovery, which only clients get that request it with `auth.recover`: the real client
 * continues where it was, with every missed event once and in order (CUP-1, ORD-1).
 */
import { io, type Socket } from 'socket.io-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { GroupSummary } from '../../../protocol/records.ts'
import type { Server } from '../../../server/server.ts'
import { Recoveries, Recovery } from '../../../server/socket-io/recovery.ts'
import { startServer, tokenOf } from '../operation/server.ts'
import { connect, groupOf, rawClient } from './clients.ts'

/** A client with recovery, and the seqs of the messages that it has received. */
async function recoverable(
  server: Server,
  transports: string[],
): Promise<{ socket: Socket; seqs: number[] }> {
  const socket = io(`http://127.0.0.1:${server.port}`, {
    forceNew: true,
    transports,
    reconnectionDelay: 1,
    reconnectionDelayMax: 1,
    auth: { token: await tokenOf('ben'), recover: true },
  })
  onTestFinished(() => void socket.disconnect())
  const seqs: number[] = []
  socket.on('new_message', ({ seq }: { seq: number }) => void seqs.push(seq))
  await new Promise((resolve) => socket.once('connected', resolve))
  return { socket, seqs }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe.each([['websocket'], ['polling']])('over %s', (transport) => {
  it('a client receives the messages that it missed, then the next ones', async () => {
    const server = await startServer()
    const ana = await connect(server, 'ana')
    await groupOf(ana, 'kitchen', ['ben'])
    await groupOf(ana, 'garden', ['ben'])
    const { socket, seqs } = await recoverable(server, [transport])
    const send = (groupId: string) => ana.ask('send_message', { groupId, content: 'x' })
    for (let i = 0; i < 3; i++) await send('kitchen')
    await expect.poll(() => seqs).toEqual(numbers(2, 4))
    expect(socket.recovered).toBe(false)

    for (let round = 0; round < 2; round++) {
      seqs.length = 0
      const connected = new Promise((resolve) => socket.once('connect', () => resolve(undefined)))
      const cut = new Promise((resolve) => socket.once('disconnect', () => resolve(undefined)))
      socket.io.engine.close()
      await cut
      for (let i = 0; i < 5; i++) await send('kitchen')
      await connected
      await send('kitchen')
      const first = 5 + 6 * round
      await expect.poll(() => seqs).toEqual(numbers(first, first + 5))
      expect(socket.recovered).toBe(true)
    }
    seqs.length = 0
    await send('garden')
    await expect.poll(() => seqs).toEqual([2])
  })
})

it('a client that does not request it gets no pid and no offsets, also with a pid in CONNECT', async () => {
  const server = await startServer()
  const client = await rawClient(server)
  client.send(`40${JSON.stringify({ token: await tokenOf('ana'), pid: 'x', offset: 'y' })}`)
  expect(JSON.parse(String(await client.next()).slice(2))).toEqual({ sid: expect.any(String) })
  await client.next()
  client.send('421["create_group",{"kind":"group","groupId":"g"}]')
  let packet = String(await client.next())
  while (!packet.startsWith('42["group_created"')) packet = String(await client.next())
  expect(JSON.parse(packet.slice(2))).toHaveLength(2)
})

describe('a recovery', () => {
  const summary = (groupId: string, lastSeq: number) => ({ group: { groupId }, lastSeq }) as GroupSummary
  const message = (groupId: string, seq: number) => ['new_message', { groupId, seq }] as const
  const started = (lastSeq: number) => new Recovery('pid', 'ana', [summary('g', lastSeq)])

  it('resumes from the event before the first one that the client has not received', () => {
    const recovery = started(4)
    for (const seq of [5, 6, 7]) recovery.next(message('g', seq))
    recovery.next(message('h', 3))
    expect(recovery.rewind('g:6', [summary('g', 9)])).toEqual([
      ['g', 6],
      ['h', 2],
    ])
  })

  it('resumes from the start if the client has received no event', () => {
    const recovery = started(4)
    recovery.next(message('g', 5))
    expect(recovery.rewind(undefined, [summary('g', 5)])).toEqual([['g', 4]])
  })

  it('cannot resume from an unknown offset', () => {
    const recovery = started(4)
    recovery.next(message('g', 5))
    expect(recovery.rewind('g:4', [])).toBeNull()
    expect(recovery.rewind(7, [])).toBeNull()
    for (let seq = 6; seq < 2_000; seq++) recovery.next(message('g', seq))
    expect(recovery.rewind(undefined, [])).toBeNull()
    expect(recovery.rewind('g:5', [])).toBeNull()
    expect(recovery.rewind('g:1990', [])).toEqual([['g', 1_990]])
  })

  it('holds live events of a group until its missed events are replayed', () => {
    const recovery = started(4)
    expect(recovery.rewind(undefined, [summary('g', 6), summary('new', 1)])).toEqual([['g', 4]])
    expect(recovery.next(message('g', 7))).toBeNull()
    expect(recovery.next(message('g', 5))?.[2]).toBe('g:5')
    expect(recovery.next(message('new', 2))?.[2]).toBe('new:2')
    expect(recovery.next(message('g', 6))?.[2]).toBe('g:6')
    expect(recovery.resumed()).toEqual([message('g', 7)])
    expect(recovery.next(message('g', 7))?.[2]).toBe('g:7')
  })

  it('adds no offset to events that are not durable', () => {
    const typing = ['user_typing', { groupId: 'g' }] as const
    expect(started(1).next(typing)).toBe(typing)
  })
})

describe('the recoveries', () => {
  it('are those of their user, for two minutes after the disconnect', () => {
    let nowMs = 0
    const recoveries = new Recoveries(() => nowMs)
    const recovery = new Recovery('pid', 'ana', [])
    recoveries.begin(recovery, () => {})
    recoveries.end(recovery)
    expect(recoveries.take('pid', 'ben')).toBeNull()
    expect(recoveries.take('pid', 'ana')).toBe(recovery)
    expect(recoveries.take('pid', 'ana')).toBeNull()
    recoveries.begin(recovery, () => {})
    recoveries.end(recovery)
    nowMs += 120_000
    expect(recoveries.take('pid', 'ana')).toBeNull()
  })

  it('of a session that is still open closes it', () => {
    const recoveries = new Recoveries(() => 0)
    const recovery = new Recovery('pid', 'ana', [])
    recoveries.begin(recovery, () => recoveries.end(recovery))
    expect(recoveries.take('pid', 'ana')).toBe(recovery)
  })
})
