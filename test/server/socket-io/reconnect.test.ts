/**
 * The real `socket.io-client` 4 across failures: lost connections, retries, bad and expired tokens; and
 * `resume` afterwards (SIO-1).
 */
import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../../../server/config.ts'
import { makeToken } from '../../../server/token.ts'
import { TcpProxy } from '../../support/tcp-proxy.ts'
import { transports } from '../../support/transports.ts'
import { startServer, tokenOf } from '../operation/server.ts'
import { type Client, clientOf, connect, groupOf, type Payload } from './clients.ts'
import { isoTime, someText } from './transcript.ts'

const settings = resolveSettings({ jwtSecret: 'a secret of thirty-two bytes, and more' })
/** A port on which nobody listens. */
const NOBODY = 1
const fast = { reconnectionDelay: 1, reconnectionDelayMax: 5 }

const lasting = (seconds: number) => makeToken(settings, { userId: 'ana', ttlSeconds: seconds })

function refusal(client: Client): Promise<Error & { readonly data?: Payload }> {
  return new Promise((resolve) => client.socket.once('connect_error', resolve))
}

const seqsOf = (client: Client) =>
  client.events.filter(([name]) => name === 'new_message').map(([, { seq }]) => seq)

const cases = transports.flatMap(({ name }) =>
  (['websocket', 'polling'] as const).map((way) => [name, way] as const),
)

describe.each(cases)('server on %s, clients over %s', (transport, way) => {
  // CUP-1
  it('a client whose connection is lost reconnects, and resumes exactly what it missed', async () => {
    const server = await startServer({ transport })
    const proxy = await TcpProxy.start(server.port)
    const ana = await connect(server, 'ana')
    await groupOf(ana, 'kitchen', ['ben'])
    const ben = await connect(proxy, 'ben', { transports: [way], ...fast })
    const say = (content: string) => ana.ask('send_message', { groupId: 'kitchen', content })
    await say('a')
    await ben.next('new_message')
    proxy.target = NOBODY
    const lost = new Promise((resolve) => ben.socket.once('disconnect', resolve))
    proxy.cut()
    await lost
    for (const content of ['b', 'c', 'd']) await say(content)
    proxy.target = server.port
    await ben.next('connected')
    await say('e')
    expect(ben.socket.recovered).toBeFalsy()
    expect(await ben.ask('resume', { groups: [['kitchen', 2]] })).toEqual({
      success: true,
      groups: [['kitchen', 5, true]],
    })
    await ben.settled()
    expect(seqsOf(ben).sort()).toEqual([2, 3, 4, 5, 6])
  })

  // IDM-1
  it('`retries` repeats a message whose answer was lost: one message, one acknowledgement', async () => {
    const server = await startServer({ transport })
    const proxy = await TcpProxy.start(server.port)
    const ben = await connect(server, 'ben')
    await groupOf(ben, 'kitchen', ['ana'])
    const ana = await connect(proxy, 'ana', { transports: [way], ...fast, retries: 5, ackTimeout: 60_000 })
    proxy.mute()
    const answers: unknown[] = []
    const answered = new Promise<void>((resolve) => {
      ana.socket.emit(
        'send_message',
        { groupId: 'kitchen', content: 'once', tempId: 'r1' },
        (...args: unknown[]) => {
          answers.push(args)
          resolve()
        },
      )
    })
    expect(await ben.next('new_message')).toMatchObject({ tempId: 'r1', seq: 2 })
    // The server has stored it, and the answer never arrives: the client connects again and repeats.
    proxy.cut()
    await answered
    expect(answers).toEqual([
      [null, { success: true, tempId: 'r1', message: expect.objectContaining({ messageId: 'kitchen:2' }) }],
    ])
    const history = await ben.ask('get_history', { groupId: 'kitchen' })
    expect(history['messages']).toHaveLength(1)
  })

  it('a bad token is a connect_error, and the client connects with a good one on the same object', async () => {
    const server = await startServer({ transport })
    let token = 'bad'
    const client = clientOf(server, { transports: [way], auth: (done) => done({ token }) })
    const failed = refusal(client)
    client.socket.connect()
    const { message, data } = await failed
    expect({ message, data }).toEqual({
      message: someText,
      data: { code: 'unauthenticated', message },
    })
    // No attempts until the app acts: it needs another token.
    expect(client.socket.active).toBe(false)
    token = await tokenOf('ana')
    client.socket.connect()
    expect(await client.next('connected')).toMatchObject({ userId: 'ana' })
  })

  // AUT-2, AUT-4
  it('an expired token closes the transport, and the client returns by itself with a newer one', async () => {
    let laterMs = 0
    const server = await startServer({ transport, now: () => Date.now() + laterMs })
    const tokens = [await lasting(600), await lasting(6_000)]
    const auth = (done: (auth: object) => void) => done({ token: tokens.shift() })
    const client = clientOf(server, { transports: [way], ...fast, auth })
    client.socket.connect()
    await client.next('connected')
    laterMs = 570_000
    expect(await client.next('token_expiring')).toEqual({ expiresAt: isoTime })
    const reason = new Promise((resolve) => client.socket.once('disconnect', resolve))
    laterMs = 900_000
    expect(await reason).toBe('transport close')
    expect(await client.next('connected')).toMatchObject({ userId: 'ana' })
    const expired = clientOf(server, { transports: [way], auth: { token: await lasting(600) } })
    const failed = refusal(expired)
    expired.socket.connect()
    expect((await failed).data).toEqual({
      code: 'unauthenticated',
      message: expect.stringMatching(/expired/),
    })
  })

  it('refresh_token extends a connection', async () => {
    let laterMs = 0
    const server = await startServer({ transport, now: () => Date.now() + laterMs })
    const client = await connect(server, 'ana', { transports: [way], auth: { token: await lasting(600) } })
    const answer = await client.ask('refresh_token', { token: await lasting(6_000) })
    expect(answer).toEqual({ success: true, expiresAt: isoTime })
    laterMs = 900_000
    expect(await client.ask('get_groups', {})).toMatchObject({ success: true })
  })
})

describe('resume by name', () => {
  // CUP-2
  it('with 0 begins at the join of the user', async () => {
    const server = await startServer()
    const ana = await connect(server, 'ana')
    await groupOf(ana, 'kitchen', [])
    await ana.ask('send_message', { groupId: 'kitchen', content: 'before' })
    await ana.ask('add_member', { groupId: 'kitchen', userId: 'ben' })
    await ana.ask('send_message', { groupId: 'kitchen', content: 'after' })
    const ben = await connect(server, 'ben')
    expect(await ben.ask('resume', { groups: [['kitchen', 0]] })).toEqual({
      success: true,
      groups: [['kitchen', 4, true]],
    })
    expect(ben.names).toEqual(['connected', 'user_joined_group', 'new_message', 'resumed'])
  })

  // CUP-1, ORD-1
  it('repeats nothing that the session has received live', async () => {
    const server = await startServer()
    const ana = await connect(server, 'ana')
    await groupOf(ana, 'kitchen', ['ben'])
    const ben = await connect(server, 'ben')
    await ana.ask('send_message', { groupId: 'kitchen', content: 'live' })
    await ben.next('new_message')
    // Ana's session is older than the group: she has received all of it.
    expect(await ana.ask('resume', { groups: [['kitchen', 0]] })).toMatchObject({ success: true })
    expect(ana.names.filter((name) => name === 'group_created')).toHaveLength(1)
    expect(await ben.ask('resume', { groups: [['kitchen', 0]] })).toEqual({
      success: true,
      groups: [['kitchen', 1, true]],
    })
    await ben.settled()
    expect(seqsOf(ben)).toEqual([2])
    expect(ben.names.filter((name) => name === 'group_created')).toHaveLength(1)
  })
})
