import { describe, expect, it, vi } from 'vitest'
import * as ws from 'ws'
import { toWebSocketUrl } from '../../client/websocket.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import { eventually } from '../support/conditions.ts'
import { aGroup, aMessage } from '../support/scripted-server.ts'
import { aConnectedStage, aStage, inState, reconnect } from './harness.ts'

describe('connect', () => {
  it('sends the token in the first frame, and resolves with the fields of connected', async () => {
    const { client, server } = await aStage({ token: () => Promise.resolve('fresh') })
    const connecting = client.connect()
    const peer = await server.accept()
    expect(peer.protocol).toBe(subprotocols.msgpack)
    expect((await peer.next('authenticate')).fields).toEqual({ token: 'fresh' })
    peer.say('connected', {
      message: 'welcome',
      userId: 'ana',
      timestamp: 5,
      sessionId: 's1',
      serverVersion: '1',
      limits: { maxMessageBytes: 1_000, maxContentBytes: 1, rateLimit: 0, resumeEvents: 1 },
      groups: [],
    })
    expect(await connecting).toMatchObject({ userId: 'ana', sessionId: 's1' })
    expect(client.state).toEqual({ state: 'connected', sessionId: 's1' })
    expect(client.userId).toBe('ana')
    expect(await client.connect()).toMatchObject({ sessionId: 's1' })
  })

  it('uses the WebSocket of the platform if there is one', async () => {
    const used = vi.fn()
    class PlatformSocket extends ws.WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol)
        used(url)
      }
    }
    vi.stubGlobal('WebSocket', PlatformSocket)
    vi.stubGlobal('navigator', { userAgent: 'Elsewhere' })
    try {
      const { server } = await aConnectedStage()
      expect(used).toHaveBeenCalledWith(server.url)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it.each([
    ['http://localhost:4040', 'ws://localhost:4040/ws'],
    ['https://chat.example', 'wss://chat.example/ws'],
    ['wss://chat.example/elsewhere', 'wss://chat.example/elsewhere'],
  ])('converts the address %s to %s', (given, dialled) => {
    expect(toWebSocketUrl(given)).toBe(dialled)
  })

  it('rejects if the client is closed meanwhile', async () => {
    const { client, server } = await aStage()
    const connecting = client.connect()
    await server.accept()
    client.close()
    await expect(connecting).rejects.toMatchObject({ name: 'ClientError', code: 'closed' })
  })
})

describe('a request', () => {
  it('resolves with the value that the row of the table returns', async () => {
    const { client, peer } = await aConnectedStage()
    const making = client.createGroup({ kind: 'group', name: 'Kitchen' })
    const { ref, fields } = await peer.next('create_group')
    expect(fields).toMatchObject({ kind: 'group', name: 'Kitchen' })
    peer.say('group', { group: aGroup('kitchen', 1) }, ref)
    expect(await making).toMatchObject({ groupId: 'kitchen' })

    const reading = client.getHistory({ groupId: 'kitchen' })
    const asked = await peer.next('get_history')
    peer.say('history', { groupId: 'kitchen', messages: [], hasMore: false }, asked.ref)
    expect(await reading).toMatchObject({ groupId: 'kitchen', messages: [], hasMore: false })
  })

  it('rejects with the server’s error', async () => {
    const { client, peer } = await aConnectedStage()
    const joining = client.joinGroup({ groupId: 'attic' })
    const { ref } = await peer.next('join_group')
    peer.say('error', { code: 'banned', message: 'no', field: 'groupId' }, ref)
    await expect(joining).rejects.toMatchObject({
      name: 'ChatError',
      code: 'banned',
      field: 'groupId',
    })
  })

  it('rejects after 15 s without an answer, and ignores a late one', async () => {
    const { client, peer, clock } = await aConnectedStage()
    const leaving = client.leaveGroup({ groupId: 'kitchen' })
    const { ref } = await peer.next('leave_group')
    clock.advance(15_000)
    await expect(leaving).rejects.toMatchObject({ name: 'ClientError', code: 'timeout' })
    peer.say('ok', {}, ref)
    const pinging = client.ping({ t: 1 })
    peer.say('pong', { t: 1, serverTime: 2 }, (await peer.next('ping')).ref)
    expect(await pinging).toEqual({ t: 1, serverTime: 2 })
  })

  it('rejects in the client if its frame is larger than the server accepts', async () => {
    const { client, peer } = await aConnectedStage()
    await expect(
      client.sendMessage({ groupId: 'kitchen', content: 'x'.repeat(70_000) }),
    ).rejects.toMatchObject({ name: 'ChatError', code: 'too_large' })
    expect(peer.names()).toEqual(['authenticate'])
  })

  it('waits for a connection within its time limit', async () => {
    const stage = await aConnectedStage()
    stage.peer.cut()
    await inState(stage.client, 'reconnecting')
    const reading = stage.client.getGroups({})
    stage.clock.advance(500)
    const peer = await stage.server.accept()
    await peer.greet()
    peer.say('groups', { groups: [] }, (await peer.next('get_groups')).ref)
    expect(await reading).toEqual({ groups: [] })

    peer.cut()
    await inState(stage.client, 'reconnecting')
    const second = expect(stage.client.getGroups({})).rejects.toMatchObject({ code: 'timeout' })
    stage.clock.advance(15_000)
    await second
  })

  it('is sent again on the next connection if it is idempotent, otherwise rejects', async () => {
    const stage = await aConnectedStage()
    const { client, peer } = stage
    const reading = client.getHistory({ groupId: 'kitchen' })
    const direct = client.createGroup({ kind: 'direct', members: ['bruno'] })
    const making = expect(client.createGroup({ kind: 'group' })).rejects.toMatchObject({
      code: 'connection_lost',
    })
    await eventually(() => expect(peer.names()).toHaveLength(4))
    const next = await reconnect(stage, peer)
    await making
    const { ref } = await next.next('get_history')
    next.say('history', { groupId: 'kitchen', messages: [], hasMore: false }, ref)
    expect(await reading).toMatchObject({ hasMore: false })
    next.say('group', { group: aGroup('d_1', 1) }, (await next.next('create_group')).ref)
    expect(await direct).toMatchObject({ groupId: 'd_1' })
    expect(next.names()).toEqual(['authenticate', 'get_history', 'create_group'])
  })

  it('resolves if a repeated decline_invitation finds no invitation any more, and rejects a first one', async () => {
    const stage = await aConnectedStage()
    const { client, peer } = stage
    const notFound = { code: 'not_found', message: 'nothing' }
    const first = expect(client.declineInvitation({ groupId: 'attic' })).rejects.toMatchObject({
      code: 'not_found',
    })
    peer.say('error', notFound, (await peer.next('decline_invitation')).ref)
    await first
    const declining = client.declineInvitation({ groupId: 'kitchen' })
    await peer.next('decline_invitation')
    const next = await reconnect(stage, peer)
    next.say('error', notFound, (await next.next('decline_invitation')).ref)
    expect(await declining).toBeUndefined()
  })

  // OVL-1
  it('rejects with overloaded if 2,000 calls wait for a connection', async () => {
    const stage = await aConnectedStage()
    const { client } = stage
    stage.peer.cut()
    await inState(client, 'reconnecting')
    const waiting = Array.from({ length: 2_000 }, () =>
      client.getHistory({ groupId: 'kitchen' }).catch((error: { code: string }) => error.code),
    )
    await expect(client.getHistory({ groupId: 'kitchen' })).rejects.toMatchObject({ code: 'overloaded' })
    client.close()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['closed']))
  })

  it('rejects with closed once the client is closed, whether in flight or new', async () => {
    const { client, peer } = await aConnectedStage()
    const reading = client.getHistory({ groupId: 'kitchen' })
    const sending = client.sendMessage({ groupId: 'kitchen', content: 'olá' })
    await peer.next('get_history')
    client.close()
    await expect(reading).rejects.toMatchObject({ code: 'closed' })
    await expect(sending).rejects.toMatchObject({ code: 'closed' })
    await expect(client.getGroups({})).rejects.toMatchObject({ code: 'closed' })
    await eventually(() => expect(peer.closeCode).toBe(1000))
  })
})

describe('on', () => {
  it('calls each listener until it is removed, even if another one throws', async () => {
    const { client, peer } = await aConnectedStage([['kitchen', 1]])
    const thrown = vi.fn()
    process.once('uncaughtException', thrown)
    const contents: string[] = []
    client.on('new_message', () => {
      throw new Error('the listener’s own')
    })
    const off = client.on('new_message', ({ message }) => contents.push(message.content))
    peer.say('new_message', { message: aMessage('kitchen', 2, { content: 'olá' }) })
    await eventually(() => expect(contents).toEqual(['olá']))
    await eventually(() => expect(thrown).toHaveBeenCalledTimes(1))
    off()
    process.once('uncaughtException', thrown)
    peer.say('new_message', { message: aMessage('kitchen', 3) })
    await eventually(() => expect(thrown).toHaveBeenCalledTimes(2))
    expect(contents).toEqual(['olá'])
  })

  it('delivers the server’s own events', async () => {
    const { client, peer } = await aConnectedStage()
    const said: unknown[] = []
    client.on('server_shutdown', (fields) => said.push(fields))
    client.on('token_expiring', (fields) => said.push(fields))
    peer.say('server_shutdown', { reason: 'update', reconnectInMs: 7 })
    peer.say('token_expiring', { expiresAt: 9 })
    await eventually(() => expect(said).toEqual([{ reason: 'update', reconnectInMs: 7 }, { expiresAt: 9 }]))
  })
})
