import { describe, expect, it, vi } from 'vitest'
import { ChatClient } from '../../client/chat-client.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { eventually } from '../support/conditions.ts'
import { aConnectedStage, aStage, inState, reconnect, type Stage } from './harness.ts'

/** Lets `count` attempts be closed with 1011 one after the other; the delays chosen. */
async function delaysOf(count: number, { server, client, clock }: Stage): Promise<readonly number[]> {
  const delays: number[] = []
  for (let i = 0; i < count; i++) {
    const peer = await server.accept()
    await peer.next('authenticate')
    peer.close(1011)
    const delayMs = await eventually(() => {
      const { state } = client
      if (state.state !== 'reconnecting' || state.failures !== i + 1) throw new Error('not ended yet')
      return state.delayMs
    })
    delays.push(delayMs)
    clock.advance(delayMs)
  }
  return delays
}

describe('a client whose connection ends', () => {
  it('reconnects after delays that double from 500 ms up to 30 s', async () => {
    const stage = await aStage()
    stage.client.connect().catch(() => {})
    expect(await delaysOf(8, stage)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('spreads the delays at random over the whole range', async () => {
    const stage = await aStage()
    stage.clock.chance = 0.25
    stage.client.connect().catch(() => {})
    expect(await delaysOf(3, stage)).toEqual([125, 250, 500])
  })

  it('resets the count of failures only after a connection was stable for 10 s', async () => {
    const stage = await aConnectedStage()
    const second = await reconnect(stage, stage.peer)
    second.cut()
    expect((await inState(stage.client, 'reconnecting')).delayMs).toBe(1_000)
    stage.clock.advance(1_000)
    const third = await stage.server.accept()
    await third.greet()
    await inState(stage.client, 'connected')
    stage.clock.advance(10_000)
    third.cut()
    expect((await inState(stage.client, 'reconnecting')).delayMs).toBe(500)
  })

  it('reports each state, with the reason', async () => {
    const stage = await aConnectedStage()
    stage.peer.close(4008, 'the connection read too slowly')
    await inState(stage.client, 'reconnecting')
    stage.clock.advance(500)
    await (await stage.server.accept()).greet()
    await inState(stage.client, 'connected')
    stage.client.close()
    expect(stage.states).toEqual([
      { state: 'connecting' },
      { state: 'connected', sessionId: 's' },
      {
        state: 'reconnecting',
        failures: 1,
        delayMs: 500,
        reason: { cause: 'server', code: 4008, message: 'the connection read too slowly' },
      },
      { state: 'connected', sessionId: 's' },
      { state: 'closed', reason: { cause: 'application' } },
    ])
  })

  it('reconnects after the delay that a stopping server announced', async () => {
    const { client, clock, server, peer } = await aConnectedStage()
    peer.say('server_shutdown', { reason: 'update', reconnectInMs: 3_210 })
    peer.close(1001)
    expect((await inState(client, 'reconnecting')).delayMs).toBe(3_210)
    clock.advance(3_209)
    expect(clock.dueInMs).toEqual([1])
    clock.advance(1)
    await (await server.accept()).greet()
    await inState(client, 'connected')
  })

  it('retries while no server listens, and ends when it is closed', async () => {
    const clock = new ManualClock()
    const client = new ChatClient({ url: 'ws://127.0.0.1:1/ws', token: 'token', clock: clock.forClient })
    const connecting = expect(client.connect()).rejects.toMatchObject({ code: 'closed' })
    const { reason } = await inState(client, 'reconnecting')
    expect(reason).toMatchObject({ cause: 'network', message: expect.stringContaining('ECONNREFUSED') })
    client.close()
    await connecting
    expect(clock.dueInMs).toEqual([])
  })

  it('ends a handshake after 15 s', async () => {
    const { client, clock, server } = await aStage()
    client.connect().catch(() => {})
    await (await server.accept()).next('authenticate')
    clock.advance(15_000)
    expect((await inState(client, 'reconnecting')).reason).toMatchObject({ cause: 'network' })
  })

  it('makes the next attempt at once by `retryNow`, but not while the browser is offline', async () => {
    const { client, clock, server, peer } = await aConnectedStage()
    peer.cut()
    await inState(client, 'reconnecting')
    vi.stubGlobal('navigator', { userAgent: 'Node.js', onLine: false })
    client.retryNow()
    expect(clock.dueInMs).toEqual([500])
    vi.stubGlobal('navigator', { userAgent: 'Node.js', onLine: true })
    client.retryNow()
    await (await server.accept()).greet()
    await inState(client, 'connected')
  })

  it('reconnects after a frame that it cannot decode', async () => {
    const { client, peer } = await aConnectedStage()
    peer.sendBytes(Uint8Array.of(0x93, 0x40))
    expect((await inState(client, 'reconnecting')).reason).toEqual({
      cause: 'network',
      message: 'a frame could not be decoded',
    })
  })
})

describe('a silent connection', () => {
  it('is tested after 25 s, and stays open if the server answers', async () => {
    const { client, clock, peer } = await aConnectedStage()
    clock.advance(24_999)
    expect(peer.names()).toEqual(['authenticate'])
    clock.advance(1)
    const { ref } = await peer.next('ping')
    const received = new Promise((resolve) => client.on('token_expiring', resolve))
    clock.advance(1)
    peer.say('pong', { serverTime: 0 }, ref)
    peer.say('token_expiring', { expiresAt: 1 })
    await received
    clock.advance(10_000)
    expect(client.state.state).toBe('connected')
  })

  it('is closed after 10 s more without any frame', async () => {
    const { client, clock, peer } = await aConnectedStage()
    clock.advance(25_000)
    await peer.next('ping')
    clock.advance(10_000)
    expect((await inState(client, 'reconnecting')).reason).toEqual({ cause: 'silence' })
  })

  it('is tested at once by `retryNow`, once at a time, and stays open if anything arrives', async () => {
    const { client, clock, peer } = await aConnectedStage()
    client.retryNow()
    const { ref } = await peer.next('ping')
    peer.say('pong', { serverTime: 0 }, ref)
    const received = new Promise((resolve) => client.on('token_expiring', resolve))
    peer.say('token_expiring', { expiresAt: 1 })
    await received
    clock.advance(10_000)
    expect(client.state.state).toBe('connected')

    client.retryNow()
    await peer.next('ping')
    clock.advance(6_000)
    client.retryNow()
    clock.advance(4_000)
    expect((await inState(client, 'reconnecting')).reason).toEqual({ cause: 'silence' })
    expect(peer.names().filter((name) => name === 'ping').length).toBe(2)
  })

  it('is not tested while frames arrive', async () => {
    const { client, clock, peer } = await aConnectedStage()
    let received = 0
    client.on('token_expiring', () => {
      received += 1
    })
    for (let i = 1; i <= 3; i++) {
      clock.advance(20_000)
      peer.say('token_expiring', { expiresAt: i })
      await eventually(() => expect(received).toBe(i))
    }
    expect(peer.names()).toEqual(['authenticate'])
  })
})

describe.each([4401, 4402])('a connection closed with %i', (code) => {
  it('is established again immediately with a new token, if a function provides one', async () => {
    const tokens = ['first', 'second']
    const { client, server, peer } = await aConnectedStage([], { token: () => tokens.shift() ?? 'none' })
    peer.close(code)
    const next = await server.accept()
    expect((await next.next('authenticate')).fields.token).toBe('second')
    expect(client.state).toMatchObject({ state: 'reconnecting', delayMs: 0 })
  })

  it('ends the client if the new token is rejected too', async () => {
    const { client, server, peer, states } = await aConnectedStage([], { token: () => 'same' })
    peer.close(code)
    const next = await server.accept()
    await next.next('authenticate')
    const waiting = expect(client.connect()).rejects.toMatchObject({ code: 'refused', closeCode: code })
    next.close(code, 'signature does not fit')
    await waiting
    expect(states.at(-1)).toEqual({
      state: 'closed',
      reason: { cause: 'server', code, message: 'signature does not fit' },
    })
  })

  it('ends the client if there is only one token, and reports the reason', async () => {
    const { client, server } = await aStage()
    const connecting = client.connect()
    const peer = await server.accept()
    await peer.next('authenticate')
    peer.close(code, 'bad')
    await expect(connecting).rejects.toThrow(/^the server rejected the connection.*: bad$/)
  })
})

describe('a client that was rejected', () => {
  it.each([4400, 4403, 4409, 4999])('does not reconnect after %i, and requests reject', async (code) => {
    const { client, clock, peer } = await aConnectedStage()
    const leaving = client.leaveGroup({ groupId: 'kitchen' })
    const reading = client.getHistory({ groupId: 'kitchen' })
    await peer.next('get_history')
    peer.close(code)
    await expect(leaving).rejects.toMatchObject({ code: 'connection_lost' })
    await expect(reading).rejects.toMatchObject({ name: 'ClientError', code: 'refused', closeCode: code })
    await expect(client.getGroups({})).rejects.toMatchObject({ code: 'refused' })
    expect(client.state.state).toBe('closed')
    expect(clock.dueInMs).toEqual([])
  })

  it('sends its messages when `connect` is called again', async () => {
    const { client, server, peer } = await aConnectedStage([['kitchen', 1]])
    const underWay = client.sendMessage({ groupId: 'kitchen', content: 'before' })
    await peer.next('send_message')
    peer.close(4400)
    await inState(client, 'closed')
    const queued = client.sendMessage({ groupId: 'kitchen', content: 'after' })
    expect(client.unsent).toBe(2)
    const connecting = client.connect()
    const next = await server.accept()
    await next.greet([['kitchen', 1]])
    await connecting
    next.say('resumed', { groups: [['kitchen', 1, true]] }, (await next.next('resume')).ref)
    next.confirm(await next.next('send_message'), 2)
    next.confirm(await next.next('send_message'), 3)
    expect((await underWay).message).toMatchObject({ seq: 2, content: 'before' })
    expect((await queued).message).toMatchObject({ seq: 3, content: 'after' })
  })

  it('sends nothing of one user as another user', async () => {
    const { client, server, peer } = await aConnectedStage([['kitchen', 1]])
    const sending = client.sendMessage({ groupId: 'kitchen', content: 'from Ana' })
    await peer.next('send_message')
    peer.close(4403)
    await inState(client, 'closed')
    const connecting = client.connect()
    const next = await server.accept()
    await next.greet([['kitchen', 1]], 'clara')
    await connecting
    await expect(sending).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringContaining('another'),
    })
    const own = client.sendMessage({ groupId: 'kitchen', content: 'from Clara' })
    next.confirm(await next.next('send_message'), 2)
    expect((await own).message.content).toBe('from Clara')
  })
})

describe('a connection closed with 4401 after 8 s', () => {
  it('is established again: the network was too slow for the server’s deadline', async () => {
    const { client, clock, server } = await aStage()
    client.connect().catch(() => {})
    const peer = await server.accept()
    await peer.next('authenticate')
    clock.advance(10_000)
    peer.close(4401, 'no token in time')
    clock.advance((await inState(client, 'reconnecting')).delayMs)
    await (await server.accept()).greet()
    await inState(client, 'connected')
  })
})

describe('a token function', () => {
  it('is called for a newer token before the current one expires', async () => {
    const tokens = ['first', 'second']
    const { peer } = await aConnectedStage([], { token: () => tokens.shift() ?? 'none' })
    peer.say('token_expiring', { expiresAt: 1 })
    expect((await peer.next('refresh_token')).fields).toEqual({ token: 'second' })
  })

  it('that fails is called again later', async () => {
    const answers = [() => Promise.reject(new Error('no network')), () => Promise.resolve('fresh')]
    const { client, clock, server } = await aStage({ token: () => answers.shift()?.() ?? 'none' })
    client.connect().catch(() => {})
    const { reason, delayMs } = await inState(client, 'reconnecting')
    expect(reason).toEqual({ cause: 'token', message: 'no network' })
    clock.advance(delayMs)
    expect((await (await server.accept()).next('authenticate')).fields.token).toBe('fresh')
  })

  it('that never settles is called again after the time limit', async () => {
    const answers = [() => new Promise<string>(() => {}), () => Promise.resolve('fresh')]
    const { client, clock, server } = await aStage({
      token: () => answers.shift()?.() ?? 'none',
      requestTimeoutMs: 2_000,
    })
    client.connect().catch(() => {})
    clock.advance(2_000)
    const { reason, delayMs } = await inState(client, 'reconnecting')
    expect(reason).toEqual({ cause: 'token', message: 'no token within 2000 ms' })
    clock.advance(delayMs)
    const peer = await server.accept()
    expect((await peer.next('authenticate')).fields.token).toBe('fresh')
  })

  it('has at most a minute, whatever the time limit of requests is', async () => {
    const { client, clock } = await aStage({
      token: () => new Promise<string>(() => {}),
      requestTimeoutMs: Number.POSITIVE_INFINITY,
    })
    client.connect().catch(() => {})
    clock.advance(59_999)
    expect(client.state.state).toBe('connecting')
    clock.advance(1)
    await inState(client, 'reconnecting')
    client.close()
    expect(clock.dueInMs).toEqual([])
  })

  it.each([
    ['', 'an empty string'],
    [undefined, 'undefined'],
    [null, 'object'],
    [5, 'number'],
  ])('that returns %j is called again, and no connection is made', async (given, named) => {
    const { client, server } = await aStage({ token: () => given as unknown as string })
    client.connect().catch(() => {})
    const { reason } = await inState(client, 'reconnecting')
    expect(reason).toEqual({
      cause: 'token',
      message: `the token function must return a non-empty string; it returned ${named}`,
    })
    expect(server.peers).toEqual([])
  })
})
