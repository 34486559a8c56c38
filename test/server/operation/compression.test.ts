import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import type { SocketClient } from '../../support/socket-client.ts'
import { connect, startServer } from './server.ts'

const LARGE = 'the same words again and again '.repeat(200)

/** Bytes that the socket has read. */
function bytesRead({ ws }: SocketClient): number {
  return (ws as unknown as { readonly _socket: Socket })._socket.bytesRead
}

/** The number of bytes that a member reads for one message with that content. */
async function costOf(content: string, ana: SocketClient, reader: SocketClient): Promise<number> {
  const before = bytesRead(reader)
  ana.send('send_message', 9, { groupId: 'g', content, tempId: `${content.length}-${before}` })
  expect((await reader.next('new_message')).fields.message.content).toBe(content)
  return bytesRead(reader) - before
}

describe.each([
  ['msgpack', subprotocols.msgpack],
  ['JSON', subprotocols.json],
])('COMPRESSION, %s', (_, protocol) => {
  it('is off by default', async () => {
    const server = await startServer()
    const ana = await connect(server, 'ana', { protocols: [protocol] })
    expect(ana.ws.extensions).toBe('')
    ana.send('create_group', 1, { kind: 'group', groupId: 'g', members: ['bruno'] })
    await ana.next('group')
    const bruno = await connect(server, 'bruno', { protocols: [protocol] })
    expect(await costOf(LARGE, ana, bruno)).toBeGreaterThan(LARGE.length)
  })

  it('shared: compresses events and answers of at least 1 KiB, and no smaller ones', async () => {
    const server = await startServer({ compression: 'shared' })
    const ana = await connect(server, 'ana', { protocols: [protocol] })
    expect(ana.ws.extensions).toContain('permessage-deflate')
    ana.send('create_group', 1, { kind: 'group', groupId: 'g', members: ['bruno'] })
    await ana.next('group')
    const bruno = await connect(server, 'bruno', { protocols: [protocol] })
    expect(await costOf(LARGE, ana, bruno)).toBeLessThan(LARGE.length / 4)
    const small = 'a'.repeat(600)
    expect(await costOf(small, ana, bruno)).toBeGreaterThan(small.length)

    const before = bytesRead(bruno)
    bruno.send('get_history', 2, { groupId: 'g' })
    expect((await bruno.next('history')).fields.messages).toHaveLength(2)
    expect(bytesRead(bruno) - before).toBeLessThan(LARGE.length / 4)
  })

  it('shared: accepts compressed frames, and limits their inflated size', async () => {
    const server = await startServer({ compression: 'shared', maxMessageBytes: 10_000 })
    const ana = await connect(server, 'ana', { protocols: [protocol] })
    ana.send('create_group', 1, { kind: 'group', groupId: 'g' })
    await ana.next('group')
    ana.send('send_message', 2, { groupId: 'g', content: LARGE, tempId: 't1' })
    expect((await ana.next('message_sent')).fields.message.content).toBe(LARGE)
    ana.send('send_message', 3, { groupId: 'g', content: 'x'.repeat(20_000), tempId: 't2' })
    expect((await ana.next('error')).fields.code).toBe('too_large')
  })
})
