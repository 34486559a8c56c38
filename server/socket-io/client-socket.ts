/**
 * Client socket: one Socket.IO client, as a socket of a connection of the front end (SIO-1).
 *
 * The connection sends and receives msgpack frames as with any other client; this file converts them.
 * CONNECT becomes `authenticate`, an event becomes the request of that name, an answer becomes an event
 * and an acknowledgement. So tokens, limits, expiry, backpressure and metrics are those of every
 * connection. After DISCONNECT or a refused CONNECT the transport stays open and has a new connection.
 * Bounded: `MAX_UNANSWERED` requests, `MAX_UPLOADS` uploads, the attachments of one packet.
 */
import { closeCodes } from '../../protocol/close-codes.ts'
import { decodeEvent, packFrame, packRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { Event } from '../../protocol/events.ts'
import { type RequestSpec, requests } from '../../protocol/requests.ts'
import type { Connection } from '../connection.ts'
import type { HeldBytes } from '../held-bytes.ts'
import type { Socket } from '../transport/transport.ts'
import { ClientTopics } from './client-topics.ts'
import type { EngineSession, SessionUser } from './engine-session.ts'
import { type ClientEvent, type EventsForClients, errorFields } from './events-for-clients.ts'
import { tokenOf } from './handshake.ts'
import type { LocalTopics } from './local-topics.ts'
import { type Packet, PacketError, packetText, packetTypes } from './packet.ts'
import { PacketReader } from './packet-reader.ts'
import { newTempId, requestOf } from './requests-of-clients.ts'
import type { Posts } from './socket-io-wire.ts'
import { fileBytes, Upload, type UploadPort } from './upload.ts'

/** What all client sockets share. */
export interface ClientSocketHost {
  readonly translate: EventsForClients
  readonly posts: Posts
  readonly topics: LocalTopics
  readonly held: HeldBytes
  readonly maxMessageBytes: number
  readonly maxPayloadBytes: number
  /** `leave_group` changes the membership; otherwise it is only acknowledged. */
  readonly leaves: boolean
  /** Milliseconds since 1970. */
  now(): number
  newSid(): string
  /** A connection for the client, or null if the server accepts none. The first one is already checked. */
  connect(socket: ClientSocket, address: string, isFirst: boolean): Connection | null
}

/** A request without an answer. */
interface Asked {
  readonly name: string
  readonly ackId: number | undefined
  readonly tempId?: string | undefined
  /** The error for a request that could not be converted. */
  readonly refusal?: ChatError | undefined
  readonly upload?: Upload | undefined
}

type Phase = 'idle' | 'connecting' | 'connected'

const MAX_UNANSWERED = 1_000
const MAX_UPLOADS = 4
const UNKNOWN_CODE = 255
const MAX_REF = 0xffff_fffe
const OVERLOADED_MS = 500
/** `io('https://…/socket.io/')` requests this namespace and means the main one. */
const PATH_NAMESPACE = '/socket.io/'

export class ClientSocket implements Socket, SessionUser {
  readonly #host: ClientSocketHost
  readonly #session: EngineSession
  readonly #address: string
  readonly #token: string
  readonly #packets: PacketReader
  readonly #topics: ClientTopics
  #connection: Connection | null = null
  #phase: Phase = 'idle'
  #lastRef = 0
  #asked: Map<number, Asked> | null = null
  #uploads = 0

  constructor(host: ClientSocketHost, session: EngineSession, address: string, token: string) {
    this.#host = host
    this.#session = session
    this.#address = address
    this.#token = token
    this.#packets = new PacketReader(host.held, host.maxPayloadBytes)
    this.#topics = new ClientTopics(host.topics, session)
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
    if (event.event === 'connected') this.#connected()
    if (event.ref === 0) return this.#emitAll(this.#host.translate.of(event), compress)
    const asked = this.#asked?.get(event.ref)
    this.#asked?.delete(event.ref)
    if (asked?.tempId !== undefined) this.#host.posts.remove(this.#userId, asked.tempId)
    if (asked?.upload) asked.upload.answered(event)
    else if (asked) this.#answer(asked, event, compress)
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
    const stays = code >= 4400 && code !== closeCodes.token_expired.code
    if (this.#phase === 'connected') {
      if (stays) this.#packet(packetTypes.disconnect, undefined)
    } else if (code >= 4400 && this.#phase === 'connecting') {
      const name = code === closeCodes.too_many_sessions.code ? 'too_many_sessions' : 'unauthenticated'
      this.#packet(packetTypes.connectError, { message, data: { code: name, message } })
      this.#reconnect()
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
    this.#topics.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    this.#topics.unsubscribe(topic)
  }

  isSubscribed(topic: string): boolean {
    return this.#topics.isSubscribed(topic)
  }

  getTopics(): readonly string[] {
    return this.#topics.all()
  }

  // SessionUser, called by the session

  ponged(): void {
    this.#connection?.ponged()
  }

  drained(): void {
    this.#connection?.drained()
  }

  upgraded(socket: Socket): void {
    this.#topics.upgraded(socket)
  }

  closed(): void {
    this.#disconnect()
    this.#session.user = null
  }

  received(message: string | Uint8Array): void {
    const packet = this.#packets.read(message, this.#phase === 'connected')
    if (packet) this.#handle(packet)
  }

  #handle({ type, namespace, ackId, data }: Packet): void {
    if (type === packetTypes.connect) return this.#connectPacket(namespace, data)
    const isOurs = namespace === (this.#topics.namespace || '/')
    if (this.#phase === 'idle' || !isOurs) throw new PacketError('not connected')
    if (type === packetTypes.disconnect) this.#reconnect()
    else if (type === packetTypes.event || type === packetTypes.binaryEvent) {
      const [name, ...args] = data as readonly unknown[]
      this.#request(name, args, ackId)
    }
  }

  #connectPacket(namespace: string, auth: unknown): void {
    if (namespace !== '/' && namespace !== PATH_NAMESPACE) {
      const text = packetText(packetTypes.connectError, namespace, undefined, {
        message: 'Invalid namespace',
      })
      this.#session.send(Buffer.from(`4${text}`), false)
      return
    }
    if (this.#phase !== 'idle') return
    this.#topics.namespace = namespace === '/' ? '' : PATH_NAMESPACE
    this.#phase = 'connecting'
    const token = tokenOf(auth, this.#token)
    if (token === '') this.#connection?.refused('a token is required, for example as auth.token', 'client')
    // Not a token, and not text that can be encoded.
    else if (!token.isWellFormed()) this.#connection?.refused('the token is malformed', 'client')
    else this.#receive(packRequest(requests.authenticate.fields, { token }, [requests.authenticate.code, 0]))
  }

  #connected(): void {
    this.#phase = 'connected'
    this.#packet(packetTypes.connect, { sid: this.#host.newSid() })
  }

  // Requests

  #request(name: unknown, args: readonly unknown[], ackId: number | undefined): void {
    const shown = typeof name === 'string' ? name.slice(0, 64) : String(name)
    const request = requestOf(name, args)
    try {
      if (!request) throw new ChatError('unknown_event')
      const { row, fields } = request
      if (request.name === 'upload_file') return this.#upload(fields, ackId)
      if (request.name === 'leave_group' && !this.#host.leaves) {
        // The group is a screen that closes; a ping costs like a small request and keeps the order.
        return this.#ask({ name: shown, ackId }, requests.ping, {})
      }
      const tempId = request.name === 'send_message' ? textOf(fields['tempId']) : undefined
      this.#ask({ name: shown, ackId, tempId }, row, fields)
    } catch (error) {
      this.#refuse({ name: shown, ackId, tempId: textOf(request?.fields['tempId']) }, ChatError.from(error))
    }
  }

  /** Sends a request to the connection. @throws ChatError if it cannot be encoded */
  #ask(asked: Asked, row: RequestSpec, fields: Readonly<Record<string, unknown>>): void {
    const ref = this.#nextRef()
    const frame = packRequest(row.fields, fields, [row.code, ref])
    this.#register(ref, asked)
    if (asked.tempId !== undefined && this.#connection) {
      this.#host.posts.add(this.#userId, asked.tempId, this.#connection)
    }
    this.#receive(frame)
  }

  /** Refuses a request through the connection, which charges it, as an unknown one. */
  #refuse(asked: Asked, refusal: ChatError): void {
    if (!this.#connection) return
    const ref = this.#nextRef()
    this.#register(ref, { ...asked, refusal })
    this.#receive(packFrame([UNKNOWN_CODE, ref]))
  }

  #register(ref: number, asked: Asked): void {
    this.#asked ??= new Map()
    if (this.#asked.size >= MAX_UNANSWERED) {
      // Its own answer would be lost; the client has not read any of a thousand answers.
      this.#session.close(closeCodes.slow_reader.code, Buffer.from('too many requests without an answer'))
      throw new ChatError('overloaded', undefined, { retryAfterMs: OVERLOADED_MS })
    }
    this.#asked.set(ref, asked)
  }

  #upload(fields: Record<string, unknown>, ackId: number | undefined): void {
    const { file, fileSize } = fields
    const bytes = fileBytes(file, fileSize)
    const tempId = textOf(fields['tempId']) ?? newTempId()
    const { held, maxMessageBytes } = this.#host
    if (this.#uploads >= MAX_UPLOADS || !held.add(bytes.length)) {
      throw new ChatError('overloaded', 'too many uploads at once', { retryAfterMs: OVERLOADED_MS })
    }
    this.#uploads += 1
    const asked: Asked = { name: 'upload_file', ackId, tempId }
    const port: UploadPort = {
      request: (name, values) => {
        const posted = name === 'send_message' ? tempId : undefined
        try {
          this.#ask({ name, ackId: undefined, tempId: posted, upload }, requests[name], values)
        } catch (error) {
          port.ended(ChatError.from(error), undefined)
        }
      },
      notify: (event) => this.#emitAll(this.#host.translate.of(event), false),
      ended: (result, stored) => {
        this.#uploads -= 1
        held.remove(bytes.length)
        this.#uploaded(asked, result, stored)
      },
    }
    const upload = new Upload(port, { file: bytes, tempId, fields }, maxMessageBytes)
    upload.start()
  }

  #uploaded(asked: Asked, result: Event<'message_sent'> | ChatError, file: unknown): void {
    if (result instanceof ChatError) return this.#fail(asked, errorFields(result.toFields()), false)
    const [sent] = this.#host.translate.of(result)
    if (!sent) return
    this.#emitAll([sent], false)
    this.#ack(asked, { ...sent[1], file })
  }

  // Answers

  #answer(asked: Asked, event: Event, compress: boolean): void {
    switch (event.event) {
      case 'error': {
        const { refusal } = asked
        const isOurs = refusal && (event as Event<'error'>).fields.code === 'unknown_event'
        const fields = isOurs ? refusal.toFields() : (event as Event<'error'>).fields
        return this.#fail(asked, errorFields(fields), compress)
      }
      case 'ok':
        return this.#ack(asked, { success: true, ...(event as Event<'ok'>).fields.result })
      case 'pong':
        if (asked.name === 'leave_group') return this.#ack(asked, { success: true })
    }
    const all = this.#host.translate.of(event)
    this.#emitAll(all, compress)
    const success = event.event !== 'message_error'
    this.#ack(asked, { success, ...all[0]?.[1] })
  }

  #fail(asked: Asked, fields: Readonly<Record<string, unknown>>, compress: boolean): void {
    const { name, tempId, ackId } = asked
    if (name === 'send_message' || name === 'upload_file') {
      const timestamp = this.#host.translate.time(this.#host.now())
      this.#emitAll([['message_error', { tempId, ...fields, timestamp }]], compress)
    } else if (ackId === undefined) this.#emitAll([['error', { ...fields, event: name }]], compress)
    this.#ack(asked, { success: false, ...fields })
  }

  /** Always with one map: some clients fail without an argument, and with two they make a list. */
  #ack({ ackId }: Asked, payload: Readonly<Record<string, unknown>>): void {
    if (ackId !== undefined) this.#packet(packetTypes.ack, [payload], ackId)
  }

  #emitAll(all: readonly ClientEvent[], compress: boolean): void {
    for (const event of all) this.#packet(packetTypes.event, event, undefined, compress)
  }

  #packet(type: number, data: unknown, ackId?: number, compress = false): void {
    this.#session.send(Buffer.from(`4${packetText(type, this.#topics.namespace, ackId, data)}`), compress)
  }

  // The connection

  #connect(isFirst: boolean): void {
    this.#phase = 'idle'
    this.#connection = this.#host.connect(this, this.#address, isFirst)
    if (!this.#connection) this.#session.close(closeCodes.try_later.code)
  }

  /** The namespace is left: the transport stays open for another CONNECT. */
  #reconnect(): void {
    for (const topic of this.getTopics()) this.unsubscribe(topic)
    this.#disconnect()
    this.#topics.namespace = ''
    if (this.#session.isOpen) this.#connect(false)
  }

  #disconnect(): void {
    this.#topics.close()
    this.#packets.reset()
    for (const { tempId, upload } of this.#asked?.values() ?? []) {
      if (tempId !== undefined) this.#host.posts.remove(this.#userId, tempId)
      if (upload) this.#host.held.remove(upload.bytes)
    }
    this.#asked = null
    this.#uploads = 0
    const connection = this.#connection
    this.#connection = null
    this.#phase = 'idle'
    connection?.socketClosed()
  }

  get #userId(): string {
    return this.#connection?.userId ?? ''
  }

  #receive(frame: Uint8Array): void {
    this.#connection?.received(frame, true)
  }

  #nextRef(): number {
    this.#lastRef = this.#lastRef >= MAX_REF ? 1 : this.#lastRef + 1
    return this.#lastRef
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
