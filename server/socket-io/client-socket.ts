/**
 * Client socket: one Socket.IO client, as a socket of a connection of the front end (SIO-1).
 *
 * The connection sends and receives msgpack frames as with any other client; this file and
 * `client-requests.ts` convert them. CONNECT becomes `authenticate`, an event becomes the request of that
 * name, an answer becomes an event and an acknowledgement. So tokens, limits, expiry, backpressure and
 * metrics are those of every connection. After DISCONNECT or a refused CONNECT the transport stays open and
 * has a new connection. Bounded: `MAX_REFUSED_CONNECTS`, the attachments of one packet.
 */
import { closeCodes, mayReconnect } from '../../protocol/close-codes.ts'
import { decodeEvent, packRequest } from '../../protocol/codec.ts'
import type { ChatError } from '../../protocol/errors.ts'
import type { Event } from '../../protocol/events.ts'
import { requests } from '../../protocol/requests.ts'
import type { Connection } from '../connection.ts'
import type { Socket } from '../transport/transport.ts'
import { ClientRecovery } from './client-recovery.ts'
import { ClientRequests, type RequestsHost, type RequestsPort } from './client-requests.ts'
import { ClientTopics } from './client-topics.ts'
import type { EngineSession, SessionUser } from './engine-session.ts'
import type { ClientEvent } from './events-for-clients.ts'
import { tokenOf } from './handshake.ts'
import type { LocalTopics } from './local-topics.ts'
import { type Packet, PacketError, packetText, packetTypes, type Sender } from './packet.ts'
import { IncompletePacket, readPacket } from './packet-reader.ts'
import type { Recoveries } from './recovery.ts'

/** What all client sockets share. */
export interface ClientSocketHost extends RequestsHost {
  readonly topics: LocalTopics
  readonly recoveries: Recoveries
  readonly maxPayloadBytes: number
  /** Charges the user for an event with a file of this length. Returns the refusal, or null. */
  charge(userId: string, chars: number): ChatError | null
  newSid(): string
  /** A connection for the client, or null if the server accepts none. The first one is already checked. */
  connect(socket: ClientSocket, address: string, isFirst: boolean): Connection | null
}

type Phase = 'idle' | 'connecting' | 'connected'

/** `io('https://…/socket.io/')` requests this namespace and means the main one. */
const PATH_NAMESPACE = '/socket.io/'
/** A client that continues is not interested in the answers, which would have to be held for it. */
const MAX_REFUSED_CONNECTS = 16

export class ClientSocket implements Socket, SessionUser, Sender, RequestsPort {
  readonly #host: ClientSocketHost
  readonly #session: EngineSession
  readonly #address: string
  readonly #token: string
  #connection: Connection | null = null
  #phase: Phase = 'idle'
  /** Null while the transport publishes to the client like to all others. */
  #topics: ClientTopics | null = null
  #incomplete: IncompletePacket | null = null
  #requests: ClientRequests | null = null
  #refusedConnects = 0
  #recovery: ClientRecovery | null = null

  constructor(host: ClientSocketHost, session: EngineSession, address: string, token: string) {
    this.#host = host
    this.#session = session
    this.#address = address
    this.#token = token
  }

  /** The transport is open. */
  start(): void {
    this.#session.user = this
    this.#connect(true)
  }

  // Socket, called by the connection

  /** Converts an event frame and sends it. */
  send(frame: Uint8Array, _isBinary: boolean, compress: boolean): void {
    const event = decodeEvent(frame)
    if (!event) return
    if (event.event === 'connected') this.#connected(event as Event<'connected'>)
    if (event.ref !== 0) this.#requests?.answered(event, compress)
    else if (!this.#isOwnPost(event)) {
      for (const one of this.#host.translate.of(event)) this.emit(one, compress)
    }
  }

  /** A session that begins to receive a group is sent what it has missed, also what it has posted meanwhile. */
  #isOwnPost(event: Event): boolean {
    const poster = event.event === 'new_message' ? this.#host.posts.of(event as Event<'new_message'>) : null
    return poster !== null && poster === this.#connection
  }

  close(): void {
    this.#session.terminate()
  }

  trust(): void {
    this.#session.trust()
  }

  /**
   * Below 4400 the transport is closed and the client reconnects; from 4400 on it is notified before, so
   * that it does not. A token that has expired is no reason to stay away: the client gets a newer one.
   */
  end(code: number, reason: Uint8Array): void {
    const message = Buffer.from(reason).toString()
    const stays = !mayReconnect(code) && code !== closeCodes.token_expired.code
    if (this.#phase === 'connected') {
      if (stays) this.#packet(packetTypes.disconnect, undefined)
    } else if (code >= 4400 && this.#phase === 'connecting') {
      const name = code === closeCodes.too_many_sessions.code ? 'too_many_sessions' : 'unauthenticated'
      const isOpen = this.#refuseConnect(this.#namespace, { message, data: { code: name, message } })
      if (isOpen) this.#reconnect()
      return
    }
    this.#session.close(code, reason)
  }

  cork(task: () => void): void {
    const { socket } = this.#session
    if (socket) socket.cork(task)
    else task()
  }

  getBufferedAmount(): number {
    return this.#session.unsentBytes
  }

  subscribe(topic: string): void {
    this.#subscriptions.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    this.#subscriptions.unsubscribe(topic)
  }

  isSubscribed(topic: string): boolean {
    return this.#subscriptions.isSubscribed(topic)
  }

  getTopics(): readonly string[] {
    return this.#subscriptions.getTopics()
  }

  get #subscriptions(): Pick<Socket, 'subscribe' | 'unsubscribe' | 'isSubscribed' | 'getTopics'> {
    return this.#topics ?? this.#session.socket ?? this.#ownTopics
  }

  get #ownTopics(): ClientTopics {
    this.#topics ??= new ClientTopics(this.#host.topics, this.#session)
    return this.#topics
  }

  /** Empty for the main one. */
  get #namespace(): string {
    return this.#topics?.namespace ?? ''
  }

  // SessionUser, called by the session

  get userId(): string {
    return this.#phase === 'connected' ? (this.#connection?.userId ?? '') : ''
  }

  ponged(): void {
    this.#connection?.ponged()
  }

  drained(): void {
    this.#connection?.drained()
  }

  upgraded(socket: Socket): void {
    this.#topics?.upgraded(socket)
  }

  closed(): void {
    this.#disconnect()
    this.#session.user = null
  }

  /** A list of bytes of 16 MiB costs many times more than a request. */
  refuseLarge(chars: number): ChatError | null {
    return this.#host.charge(this.userId, chars)
  }

  received(message: string | Uint8Array): void {
    const packet = typeof message === 'string' ? this.#read(message) : this.#attach(message)
    if (packet) this.#handle(packet)
  }

  #read(text: string): Packet | null {
    if (this.#incomplete) throw new PacketError('text between attachments')
    const packet = readPacket(text, this, this.#host)
    if (packet.attachments === 0) return packet
    this.#incomplete = new IncompletePacket(packet, this.userId, this.#host)
    return null
  }

  #attach(bytes: Uint8Array): Packet | null {
    if (!this.#incomplete) throw new PacketError('no packet has this attachment')
    const packet = this.#incomplete.add(bytes)
    if (packet) this.#incomplete = null
    return packet
  }

  #handle(packet: Packet): void {
    const { type, namespace, ackId, data } = packet
    if (type === packetTypes.connect) return this.#connectPacket(namespace, data)
    const isOurs = namespace === (this.#namespace || '/')
    const connection = this.#connection
    if (this.#phase === 'idle' || !connection || !isOurs) throw new PacketError('not connected')
    switch (type) {
      case packetTypes.disconnect:
        return this.#reconnect()
      case packetTypes.event:
      case packetTypes.binaryEvent: {
        const [name, ...args] = data as readonly unknown[]
        if (packet.refusal) this.#requestsOf(connection).refuse(name, ackId, packet.refusal)
        else this.#requestsOf(connection).receive(name, args, ackId)
        return
      }
      case packetTypes.connectError:
        throw new PacketError('only a server sends CONNECT_ERROR')
      default:
        // The server requests no acknowledgements.
        connection.countMalformed()
    }
  }

  #connectPacket(namespace: string, auth: unknown): void {
    if (namespace !== '/' && namespace !== PATH_NAMESPACE) {
      this.#refuseConnect(namespace, { message: 'Invalid namespace' })
      return
    }
    if (this.#phase === 'connected') throw new PacketError('already connected')
    if (this.#phase === 'connecting') return
    if (namespace === PATH_NAMESPACE) this.#ownTopics.namespace = PATH_NAMESPACE
    const payload = (auth ?? {}) as Readonly<Record<string, unknown>>
    if (payload['recover'] === true) {
      this.#recovery = new ClientRecovery(this.#host.recoveries, payload)
      // Not all clients have offsets.
      this.#ownTopics.relay = (message) => this.#relay(message)
    }
    this.#phase = 'connecting'
    const token = tokenOf(auth, this.#token)
    if (token === '') this.#connection?.refused('a token is required, for example as auth.token', 'client')
    // Not a token, and not text that can be encoded.
    else if (!token.isWellFormed()) this.#connection?.refused('the token is malformed', 'client')
    else {
      const { code, fields } = requests.authenticate
      this.#connection?.received(packRequest(fields, { token }, [code, 0]), true)
    }
  }

  /** Returns false if the client was refused too often: the transport is then closed. */
  #refuseConnect(namespace: string, why: object): boolean {
    this.#refusedConnects += 1
    if (this.#refusedConnects > MAX_REFUSED_CONNECTS) {
      this.#session.close(closeCodes.rate_limit_ignored.code)
      return false
    }
    const text = packetText(packetTypes.connectError, namespace, undefined, why)
    this.#session.send(Buffer.from(`4${text}`), false)
    return true
  }

  #connected({ fields: { groups, hasMore } }: Event<'connected'>): void {
    this.#phase = 'connected'
    const { newSid } = this.#host
    const recovery = this.#recovery
    // With more groups than listed it is not known where the others are.
    const connection = this.#connection
    if (!recovery || !connection || hasMore) {
      return this.#packet(packetTypes.connect, { sid: newSid() })
    }
    const close = () => this.#session.close()
    const { pid, positions } = recovery.begin(connection.userId, groups, newSid(), close)
    this.#packet(packetTypes.connect, { sid: newSid(), pid })
    if (!positions) return
    // Not inside the engine's call.
    queueMicrotask(() => {
      if (this.#recovery !== recovery) return
      this.#requestsOf(connection).resume(positions, () => this.#resumed(recovery))
    })
  }

  #resumed(recovery: ClientRecovery): void {
    for (const event of recovery.resumed()) this.emit(event, false)
  }

  /** A published event of a client with recovery. */
  #relay(message: Uint8Array): void {
    const [name, fields] = JSON.parse(Buffer.from(message).toString().slice(2))
    this.emit([name, fields], false)
  }

  /** Created when it is needed: idle clients have none. */
  #requestsOf(connection: Connection): ClientRequests {
    this.#requests ??= new ClientRequests(this.#host, this, connection)
    return this.#requests
  }

  // RequestsPort, called by the requests

  emit(event: ClientEvent, compress: boolean): void {
    const sent = this.#recovery ? this.#recovery.next(event) : event
    if (sent) this.#packet(packetTypes.event, sent, undefined, compress)
  }

  acknowledge(ackId: number, payload: Readonly<Record<string, unknown>>): void {
    this.#packet(packetTypes.ack, [payload], ackId)
  }

  overflowed(): void {
    this.#session.close(closeCodes.slow_reader.code, Buffer.from('too many requests without an answer'))
  }

  #packet(type: number, data: unknown, ackId?: number, compress = false): void {
    this.#session.send(Buffer.from(`4${packetText(type, this.#namespace, ackId, data)}`), compress)
  }

  // The connection

  #connect(isFirst: boolean): void {
    this.#phase = 'idle'
    this.#connection = this.#host.connect(this, this.#address, isFirst)
    if (!this.#connection) this.#session.close(closeCodes.try_later.code)
  }

  /** The namespace is left: the transport stays open for another CONNECT. */
  #reconnect(): void {
    const userId = this.#connection?.userId ?? ''
    for (const topic of this.getTopics()) this.unsubscribe(topic)
    this.#disconnect()
    this.#session.distrust(userId)
    if (this.#session.isOpen) this.#connect(false)
  }

  #disconnect(): void {
    this.#recovery?.end()
    this.#recovery = null
    this.#topics?.close()
    this.#topics = null
    this.#incomplete?.release()
    this.#incomplete = null
    this.#requests?.end()
    this.#requests = null
    const connection = this.#connection
    this.#connection = null
    this.#phase = 'idle'
    connection?.socketClosed()
  }
}
