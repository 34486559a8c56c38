/**
 * A server on a real socket whose answers a test scripts. It decodes the frames of clients and stores them
 * in order; `authenticate` is answered at once, everything else by the test.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { decodeRequest, encodeEvent } from '../../protocol/codec.ts'
import type { EventFields, EventName } from '../../protocol/events.ts'
import type { Message } from '../../protocol/records.ts'
import type { Request, RequestName } from '../../protocol/requests.ts'
import { eventually } from './conditions.ts'

/** A group as `connected` lists it. */
export type Standing = readonly [groupId: string, lastSeq: number]

/** One connection of a client, from the server's side. */
export class Peer {
  readonly #socket: WebSocket
  readonly protocol: string
  readonly requests: Request[] = []
  readonly #maxMessageBytes: number
  #read = 0
  closeCode: number | null = null

  constructor(socket: WebSocket, maxMessageBytes: number) {
    this.#socket = socket
    this.#maxMessageBytes = maxMessageBytes
    this.protocol = socket.protocol
    socket.on('message', (data: Buffer) => void this.requests.push(decodeRequest(data)))
    socket.on('close', (code: number) => {
      this.closeCode = code
    })
    socket.on('error', () => {})
  }

  /** The next request of that name; earlier ones are skipped. */
  async next<N extends RequestName>(name: N): Promise<Request<N>> {
    return await eventually(() => {
      const at = this.requests.findIndex(({ event }, i) => i >= this.#read && event === name)
      if (at < 0) throw new Error(`${name} has not come, but ${this.names().join(', ')}`)
      this.#read = at + 1
      return this.requests[at] as Request<N>
    })
  }

  /** The requests so far, by name. */
  names(): readonly RequestName[] {
    return this.requests.map(({ event }) => event)
  }

  say<N extends EventName>(name: N, fields: EventFields<N>, ref = 0): void {
    this.#socket.send(encodeEvent(name, ref, fields))
  }

  /** Answers the `authenticate` that has arrived, or will arrive. */
  async greet(groups: readonly Standing[] = [], userId = 'ana'): Promise<void> {
    const { ref } = await this.next('authenticate')
    this.say('connected', connectedFields(userId, groups, this.#maxMessageBytes), ref)
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.send(bytes)
  }

  /** Confirms a message under `seq`. */
  confirm({ ref, fields }: Request<'send_message'>, seq: number): void {
    const { groupId, tempId, content } = fields
    this.say(
      'message_sent',
      { tempId, success: true, message: aMessage(groupId, seq, { tempId, content }) },
      ref,
    )
  }

  refuse(ref: number, code: string, retryAfterMs?: number): void {
    this.say('error', { code, message: code, retryAfterMs }, ref)
  }

  close(code: number, reason = ''): void {
    this.#socket.close(code, reason)
  }

  /** The network fails: no close frame. */
  cut(): void {
    this.#socket.terminate()
  }
}

export class ScriptedServer {
  readonly url: string
  readonly peers: Peer[] = []
  /** What the next connections receive. */
  maxMessageBytes = 65_536
  #accepted = 0

  private constructor(server: WebSocketServer) {
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
    server.on('connection', (socket) => void this.peers.push(new Peer(socket, this.maxMessageBytes)))
  }

  /** Listens on a free port until the end of the test. */
  static async start(): Promise<ScriptedServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    onTestFinished(async () => {
      for (const socket of server.clients) socket.terminate()
      await new Promise((resolve) => server.close(resolve))
    })
    return new ScriptedServer(server)
  }

  /** The next connection. */
  async accept(): Promise<Peer> {
    const peer = await eventually(() => {
      const next = this.peers[this.#accepted]
      if (!next) throw new Error(`there is no connection ${this.#accepted + 1} yet`)
      return next
    })
    this.#accepted += 1
    return peer
  }
}

/** A message of Bruno, unless `parts` override it. */
export function aMessage(groupId: string, seq: number, parts: Partial<Message> = {}): Message {
  return {
    messageId: `${groupId}:${seq}`,
    groupId,
    seq,
    senderId: 'bruno',
    senderName: 'Bruno',
    type: 'text',
    content: `${seq}`,
    createdAt: 0,
    ...parts,
  }
}

export function aGroup(groupId: string, lastSeq: number) {
  return {
    groupId,
    kind: 'group',
    visibility: 'private',
    createdBy: 'ana',
    createdAt: 0,
    memberCount: 2,
    lastSeq,
  } as const
}

function connectedFields(
  userId: string,
  groups: readonly Standing[],
  maxMessageBytes: number,
): EventFields<'connected'> {
  return {
    message: 'connected',
    userId,
    timestamp: 0,
    sessionId: 's',
    serverVersion: 'scripted',
    limits: { maxMessageBytes, maxContentBytes: 32_768, rateLimit: 0, resumeEvents: 10_000 },
    groups: groups.map(([groupId, lastSeq]) => ({
      group: aGroup(groupId, lastSeq),
      lastSeq,
      unread: 0,
      mentions: 0,
    })),
  }
}
