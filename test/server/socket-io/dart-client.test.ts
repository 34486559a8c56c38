/**
 * The Dart client of phones, versions 2.0.3 and 3: its transcripts frame by frame, and what it relies on
 * beyond the protocol (SIO-1).
 */
import { describe, expect, it } from 'vitest'
import { requests } from '../../../protocol/requests.ts'
import { transports } from '../../support/transports.ts'
import { startServer, tokenOf } from '../operation/server.ts'
import { RawClient, rawClient } from './clients.ts'
import { badToken, connected, conversation, open, pathAsNamespace } from './dart-transcripts.ts'
import { replay, someText } from './transcript.ts'

const frames = (client: RawClient, count: number) =>
  Promise.all(Array.from({ length: count }, async () => String(await client.next())))

/** The next frame that begins so; the ones before are skipped. */
async function frameOf(client: RawClient, head: string): Promise<string> {
  for (;;) {
    const frame = String(await client.next())
    if (frame.startsWith(head)) return frame
  }
}

/** The value of the acknowledgement with this id. */
async function acknowledgement(client: RawClient, id: number): Promise<unknown> {
  const frame = await frameOf(client, `43${id}[`)
  return JSON.parse(frame.slice(`43${id}`.length))
}

describe.each(transports.map(({ name }) => name))('the Dart client, server on %s', (transport) => {
  it.each([
    ['two phones in a conversation', conversation, { presenceGraceMs: 0 }],
    ['a bad token, then a good one', badToken, {}],
    ['the path as the namespace', pathAsNamespace, {}],
  ])('transcript: %s', async (_, steps, options) => {
    await replay(await startServer({ transport, ...options }), steps())
  })

  // Version 2.0.3 handles any first frame as the open packet, and fails at an empty one.
  it.each([
    'EIO=4&transport=websocket',
    'EIO=4&transport=websocket&b64=1&t=PFCbnE',
    // Phones open WebSockets only, whatever their option `transports` says; the query is that of the option.
    'EIO=4&transport=polling',
    'transport=polling&t=PFCbnE&EIO=4&b64=1',
    'token=$token&EIO=4&transport=polling',
  ])('the first frame of a WebSocket with ?%s is the open packet', async (query) => {
    const server = await startServer({ transport })
    await replay(server, [
      ['ana', 'opens', query],
      ['ana', 'receives', '0', open()],
      ['ana', 'sends', '40{"token":"$token"}'],
      ['ana', 'receives', '40', { sid: someText }],
      ['ana', 'receives', '42', connected('ana')],
    ])
  })

  it('a token in the query is enough, with a bare CONNECT', async () => {
    const server = await startServer({ transport })
    await replay(server, [
      ['ana', 'opens', 'EIO=4&transport=polling&token=$token'],
      ['ana', 'receives', '0', open()],
      // Older versions repeat the query behind the namespace.
      ['ana', 'sends', '40/?token=x,'],
      ['ana', 'receives', '40', { sid: someText }],
      ['ana', 'receives', '42', connected('ana')],
    ])
  })

  // An acknowledgement without an argument fails in version 2.0.3, one with two arguments becomes a list.
  it('every event is acknowledged with exactly one map, whatever its arguments', async () => {
    const server = await startServer({ transport })
    const args = [
      '',
      ',null',
      ',{}',
      ',"kitchen"',
      ',{"groupId":null,"messageIds":null,"file":null}',
      ',[[]]',
    ]
    const answer = [expect.objectContaining({ success: expect.any(Boolean) })]
    await Promise.all(
      [...Object.keys(requests), 'custom_event', 'toString'].map(async (name, i) => {
        // One client each: ten malformed requests in a minute close it.
        const client = await rawClient(server, `user-${i}`)
        for (const [id, rest] of args.entries()) {
          client.send(`42${id}["${name}"${rest}]`)
          expect(await acknowledgement(client, id), `${name}${rest}`).toEqual(answer)
        }
      }),
    )
  })

  it('sends no empty frame and no other argument than one map, and adds no offset for recovery', async () => {
    const server = await startServer({ transport })
    const client = new RawClient(server)
    const received: string[] = []
    client.ws.on('message', (data: Buffer) => received.push(data.toString()))
    await client.next()
    // Not even to a client that sends what it stored of another server's recovery.
    client.send(`40${JSON.stringify({ token: await tokenOf('ana'), pid: 'p', offset: 'o' })}`)
    expect(JSON.parse((await frameOf(client, '40')).slice(2))).toEqual({ sid: expect.any(String) })
    client.send('420["create_group",{"kind":"group","groupId":"kitchen"}]')
    client.send('421["send_message",{"groupId":"kitchen","content":"x"}]')
    client.send('422["get_history","kitchen"]', '42["get_groups"]', '42["nonsense"]', '423["ping"]')
    await acknowledgement(client, 3)
    for (const frame of received.slice(2)) {
      const [head = '', name, ...args] = [
        /^4[23]\d*/.exec(frame)?.[0],
        ...JSON.parse(frame.replace(/^\d+/, '')),
      ]
      if (head.startsWith('43')) expect(args, frame).toEqual([])
      else expect([typeof name, args], frame).toEqual(['string', [expect.any(Object)]])
    }
  })

  it('null stands for an absent argument, and a list is spread into arguments', async () => {
    const server = await startServer({ transport })
    const client = await rawClient(server, 'ana')
    client.send('420["create_group",{"kind":"group","groupId":"kitchen","name":null,"members":null}]')
    expect(await acknowledgement(client, 0)).toMatchObject([{ success: true }])
    const optional = '"replyToId":null,"fileId":null,"mentions":null,"tempId":null,"type":null'
    client.send(`421["send_message",{"groupId":"kitchen","content":"a",${optional}}]`)
    expect(await acknowledgement(client, 1)).toMatchObject([{ success: true, message: { type: 'text' } }])
    client.send('422["send_message","kitchen","b","TEXT",null,"t-b"]')
    expect(await acknowledgement(client, 2)).toMatchObject([{ success: true, tempId: 't-b' }])
    client.send('423["message_read","kitchen:2","kitchen:3"]')
    expect(await acknowledgement(client, 3)).toEqual([{ success: true }])
    client.send('424["get_groups",null]')
    expect(await acknowledgement(client, 4)).toMatchObject([{ success: true, groups: [{ unread: 0 }] }])
  })

  // LIM-2
  it('several sockets of one app return at once from the background, and replace those that were lost', async () => {
    const server = await startServer({ transport, maxSessionsPerUser: 3 })
    const old = []
    for (let i = 0; i < 3; i++) old.push(await rawClient(server, 'ana'))
    const returned = await Promise.all([1, 2, 3].map(() => rawClient(server, 'ana')))
    for (const client of old) {
      // Clients do not reconnect by themselves after `41`: otherwise old and new would replace each other.
      expect(await frameOf(client, '41')).toBe('41')
      await client.closed()
    }
    for (const [id, client] of returned.entries()) {
      client.send(`42${id}["ping"]`)
      expect(await acknowledgement(client, id)).toMatchObject([{ success: true }])
    }
  })

  it('heartbeats are text frames, and the answer to the first one of a client is silence', async () => {
    const server = await startServer({ transport })
    const client = await rawClient(server, 'ana')
    client.send('3', '420["ping"]')
    expect(await frames(client, 2)).toEqual([
      expect.stringMatching(/^42\["pong",/),
      expect.stringMatching(/^430\[/),
    ])
  })
})
