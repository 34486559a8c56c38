/**
 * Socket.IO clients for tests: the real `socket.io-client`, and a plain WebSocket that shows every packet.
 */
import { once } from 'node:events'
import type { Socket as TcpSocket } from 'node:net'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { expect, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { Server } from '../../../server/server.ts'
import { tokenOf } from '../operation/server.ts'

export type Payload = Readonly<Record<string, unknown>>

/** A client whose events are stored in order. */
export class Client {
  readonly socket: Socket
  readonly events: (readonly [name: string, payload: Payload])[] = []
  #read = 0
  #waiting: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.onAny((name: string, ...args: Payload[]) => {
      // Handlers get one map and no acknowledgement id.
      expect(args).toHaveLength(1)
      this.events.push([name, args[0] as Payload])
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
    onTestFinished(() => {
      socket.disconnect()
    })
  }

  /** The next event of that name; earlier ones are skipped. */
  async next(name: string): Promise<Payload> {
    for (;;) {
      const event = this.events[this.#read]
      if (!event) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      else {
        this.#read += 1
        if (event[0] === name) return event[1]
      }
    }
  }

  /** The names of all events so far. */
  get names(): readonly string[] {
    return this.events.map(([name]) => name)
  }

  emit(name: string, ...args: readonly unknown[]): void {
    this.socket.emit(name, ...args)
  }

  ask(name: string, ...args: readonly unknown[]): Promise<Payload> {
    return this.socket.timeout(20_000).emitWithAck(name, ...args)
  }

  /** Returns after everything that the server sent to this client so far has arrived. */
  async settled(): Promise<void> {
    await this.ask('ping', {})
  }
}

export type Options = Partial<ManagerOptions & SocketOptions>

/** A client that is not connected yet. */
export function clientOf(server: Pick<Server, 'port'>, options: Options): Client {
  return new Client(io(`http://127.0.0.1:${server.port}`, { forceNew: true, autoConnect: false, ...options }))
}

/** A client that has received `connected`. */
export async function connect(
  server: Pick<Server, 'port'>,
  userId: string,
  options: Options = {},
): Promise<Client> {
  const client = clientOf(server, {
    transports: ['websocket'],
    auth: { token: await tokenOf(userId) },
    ...options,
  })
  const connected = new Promise<void>((resolve, reject) => {
    client.socket.once('connected', () => resolve())
    client.socket.once('connect_error', reject)
  })
  client.socket.connect()
  await connected
  return client
}

/** A group with these members, created by the first one. */
export async function groupOf(client: Client, groupId: string, members: readonly string[]): Promise<void> {
  expect(await client.ask('create_group', { kind: 'group', groupId, members })).toMatchObject({
    success: true,
  })
}

/** A plain WebSocket to the gateway: text as it is, bytes as Buffers. */
export class RawClient {
  readonly ws: WebSocket
  readonly received: (string | Buffer)[] = []
  /** The first packet. */
  first: string | Buffer | null = null
  #waiting: (() => void)[] = []
  #closeCode: number | null = null

  constructor(
    server: Pick<Server, 'port'>,
    query = 'EIO=4&transport=websocket',
    headers: Record<string, string> = {},
    path = '/socket.io/',
  ) {
    this.ws = new WebSocket(`ws://127.0.0.1:${server.port}${path}?${query}`, { headers })
    this.ws.on('message', (data: Buffer, isBinary: boolean) => {
      const packet = isBinary ? data : data.toString()
      this.first ??= packet
      this.received.push(packet)
      this.#wake()
    })
    this.ws.on('close', (code: number) => {
      this.#closeCode = code
      this.#wake()
    })
    this.ws.on('error', () => {})
    onTestFinished(() => this.ws.terminate())
  }

  /** Pauses and resumes reading: the kernel's buffers fill up. */
  get reading(): { readonly stop: () => void; readonly go: () => void } {
    const socket = (this.ws as unknown as { readonly _socket: TcpSocket })._socket
    return { stop: () => socket.pause(), go: () => socket.resume() }
  }

  send(...packets: readonly (string | Uint8Array)[]): this {
    for (const packet of packets) this.ws.send(packet)
    return this
  }

  /** The WebSocket is open. */
  async opened(): Promise<void> {
    if (this.ws.readyState === WebSocket.CONNECTING) await once(this.ws, 'open')
  }

  /** The next packet. */
  async next(): Promise<string | Buffer> {
    while (this.received.length === 0) {
      if (this.#closeCode !== null) throw new Error('closed')
      await this.#more()
    }
    return this.received.shift() as string | Buffer
  }

  /** The code with which the transport was closed. */
  async closed(): Promise<number> {
    while (this.#closeCode === null) await this.#more()
    return this.#closeCode
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** A raw client after the open packet, and after CONNECT if a user is given. */
export async function rawClient(server: Pick<Server, 'port'>, userId?: string): Promise<RawClient> {
  const client = new RawClient(server)
  await client.next()
  if (userId === undefined) return client
  client.send(`40${JSON.stringify({ token: await tokenOf(userId) })}`)
  await client.next()
  await client.next()
  return client
}
