/**
 * Connections that their clients break off, or never close: each request is notified, and the server keeps
 * no connection without an owner.
 */
import { once } from 'node:events'
import { connect, type Socket as TcpSocket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nodeTransport } from '../../../server/transport/node/transport.ts'
import type { Response } from '../../../server/transport/transport.ts'
import { eventually } from '../../support/conditions.ts'
import { transports } from '../../support/transports.ts'
import { H2C, HANDSHAKE, requestOf, startApp } from './app.ts'

const get = (path: string, lines?: readonly string[]) => requestOf('GET', path, lines)
const ok = { status: 200, headers: [] } as const

async function open(port: number): Promise<TcpSocket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

describe('the built-in transport', () => {
  it('notifies every pipelined request that the client has disconnected, also those behind the first', async () => {
    const seen: string[] = []
    const { port } = await startApp(nodeTransport, {
      serve: ({ path }, response) => {
        seen.push(path)
        response.onData(() => {})
        response.onAborted(() => seen.push(`${path} aborted`))
      },
    })
    const client = await open(port)
    client.write(`${get('/1')}${get('/2')}POST /3 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf`)
    await eventually(() => expect(seen).toEqual(['/1', '/2', '/3']))
    client.destroy()
    await eventually(() => expect(seen.slice(3).sort()).toEqual(['/1 aborted', '/2 aborted', '/3 aborted']))
  })

  it('ends the write of a response that waits for another one when the client disconnects', async () => {
    let isWritten = false
    const { port } = await startApp(nodeTransport, {
      serve: ({ path }, response) => {
        if (path !== '/file') return
        response.begin(ok, 100)
        void response.write(Buffer.alloc(50)).then(() => {
          isWritten = true
        })
      },
    })
    const client = await open(port)
    client.write(get('/unanswered') + get('/file'))
    await eventually(() => expect(isWritten).toBe(false))
    client.destroy()
    await eventually(() => expect(isWritten).toBe(true))
  })

  it('forgets a handshake whose client disconnects before the answers before it', async () => {
    let asked = 0
    const waiting: Response[] = []
    const { port, peers } = await startApp(nodeTransport, {
      serve: ({ path }, response) => {
        if (path === '/unanswered') waiting.push(response)
        else response.end(ok, Buffer.alloc(0))
      },
      upgrade: () => {
        asked++
        return { refuse: { status: 503, headers: [] }, body: Buffer.alloc(0) }
      },
    })
    const client = await open(port)
    client.write(get('/unanswered') + get('/ws', HANDSHAKE))
    await eventually(() => expect(waiting).toHaveLength(1))
    const isAborted = new Promise<void>((resolve) => waiting[0]?.onAborted(resolve))
    client.resetAndDestroy()
    await isAborted
    waiting[0]?.end(ok, Buffer.from('late'))
    // A request later, nobody was asked about the handshake.
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
    expect([asked, peers.length]).toEqual([0, 0])
  })

  it('keeps no listeners on a connection that asks for another protocol again and again', async () => {
    const { port } = await startApp(nodeTransport, {
      serve: (_, response) => response.end(ok, Buffer.alloc(0)),
    })
    const warnings: string[] = []
    const note = ({ message }: Error) => void warnings.push(message)
    process.on('warning', note)
    onTestFinished(() => void process.off('warning', note))
    const client = await open(port)
    let text = ''
    client.on('data', (data) => {
      text += data.toString('latin1')
    })
    // One after the other: Node 24 loses what is sent behind such a request at once.
    for (let answers = 1; answers <= 15; answers++) {
      client.write(get('/', H2C))
      await eventually(() => expect(text.match(/ 200 /g)).toHaveLength(answers))
    }
    expect(warnings).toEqual([])
  })
})

describe.each(transports)('the transport $name', (transport) => {
  it('closes the connection of a refused handshake, whatever the client sent behind it', async () => {
    const { port } = await startApp(transport, {
      upgrade: () => ({
        refuse: { status: 403, headers: [['Connection', 'close']] },
        body: Buffer.from('no'),
      }),
    })
    const client = await open(port)
    let isClosed = false
    client.resume()
    client.on('error', () => {
      isClosed = true
    })
    client.write(`${get('/ws', HANDSHAKE)}and more`)
    await eventually(() => {
      client.write('x')
      expect(isClosed).toBe(true)
    })
  })
})
