/**
 * Client requests: the events that one Socket.IO client emits, as requests of its connection, and their
 * answers as events and acknowledgements (SIO-1).
 *
 * Every event with an acknowledgement id gets exactly one map. Bounded: `MAX_UNANSWERED` requests and
 * `MAX_UPLOADS` uploads, whose bytes count as held.
 */
import { packFrame, packRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { Event } from '../../protocol/events.ts'
import { type RequestSpec, requests } from '../../protocol/requests.ts'
import type { Connection } from '../connection.ts'
import type { HeldBytes } from '../held-bytes.ts'
import { type ClientEvent, type EventsForClients, errorFields } from './events-for-clients.ts'
import type { Position } from './recovery.ts'
import { newTempId, requestOf } from './requests-of-clients.ts'
import type { Posts } from './socket-io-wire.ts'
import { fileBytes, Upload, type UploadPort } from './upload.ts'

/** What the requests of all clients share. */
export interface RequestsHost {
  readonly translate: EventsForClients
  readonly posts: Posts
  readonly held: HeldBytes
  readonly maxMessageBytes: number
  /** `leave_group` changes the membership; otherwise it is only acknowledged. */
  readonly leaves: boolean
  /** Milliseconds since 1970. */
  now(): number
}

/** The client of the requests. */
export interface RequestsPort {
  emit(event: ClientEvent, compress: boolean): void
  acknowledge(ackId: number, payload: Readonly<Record<string, unknown>>): void
  /** Too many requests have no answer: the client does not read. */
  overflowed(): void
}

/** A request without an answer. */
interface Asked {
  readonly name: string
  readonly ackId: number | undefined
  readonly tempId?: string | undefined
  /** The error for a request that could not be converted. */
  readonly refusal?: ChatError | undefined
  readonly upload?: Upload | undefined
  /** Called with any answer, of which the client is not notified. */
  readonly internal?: (() => void) | undefined
}

const MAX_UNANSWERED = 1_000
const MAX_UPLOADS = 4
const UNKNOWN_CODE = 255
const MAX_REF = 0xffff_fffe
const MAX_SHOWN_CHARS = 64
const OVERLOADED_MS = 500

export class ClientRequests {
  readonly #host: RequestsHost
  readonly #port: RequestsPort
  readonly #connection: Connection
  #lastRef = 0
  #asked: Map<number, Asked> | null = null
  #uploads = 0

  constructor(host: RequestsHost, port: RequestsPort, connection: Connection) {
    this.#host = host
    this.#port = port
    this.#connection = connection
  }

  /** The connection is closed: requests without an answer are dropped. */
  end(): void {
    for (const { tempId, upload } of this.#asked?.values() ?? []) {
      if (tempId !== undefined) this.#posted(tempId)
      if (upload) this.#host.held.remove(upload.bytes, this.#userId)
    }
    this.#asked = null
  }

  /** An event of the client. */
  receive(name: unknown, args: readonly unknown[], ackId: number | undefined): void {
    const shown = shownName(name)
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

  /** Refuses an event that was not read. */
  refuse(name: unknown, ackId: number | undefined, refusal: ChatError): void {
    this.#refuse({ name: shownName(name), ackId }, refusal)
  }

  /** Resumes the groups; `then` is called after the missed events. */
  resume(groups: readonly Position[], then: () => void): void {
    this.#ask({ name: 'resume', ackId: undefined, internal: then }, requests.resume, { groups })
  }

  /** An answer of the connection. */
  answered(event: Event, compress: boolean): void {
    const asked = this.#asked?.get(event.ref)
    this.#asked?.delete(event.ref)
    if (asked?.tempId !== undefined) this.#posted(asked.tempId)
    if (asked?.internal) asked.internal()
    else if (asked?.upload) asked.upload.answered(event)
    else if (asked) this.#answer(asked, event, compress)
  }

  /** The post has an answer, or will not get one. */
  #posted(tempId: string): void {
    if (this.#connection) this.#host.posts.remove(this.#userId, tempId, this.#connection)
  }

  /** Sends a request to the connection. @throws ChatError if it cannot be encoded */
  #ask(asked: Asked, row: RequestSpec, fields: Readonly<Record<string, unknown>>): void {
    const ref = this.#nextRef()
    const frame = packRequest(row.fields, fields, [row.code, ref])
    this.#register(ref, asked)
    if (asked.tempId !== undefined) {
      this.#host.posts.add(this.#userId, asked.tempId, this.#connection)
    }
    this.#connection.received(frame, true)
  }

  /** Refuses a request through the connection, which charges it, as an unknown one. */
  #refuse(asked: Asked, refusal: ChatError): void {
    const ref = this.#nextRef()
    this.#register(ref, { ...asked, refusal })
    this.#connection.received(packFrame([UNKNOWN_CODE, ref]), true)
  }

  #register(ref: number, asked: Asked): void {
    this.#asked ??= new Map()
    if (this.#asked.size >= MAX_UNANSWERED) {
      // Its own answer would be lost; the client has not read any of a thousand answers.
      this.#port.overflowed()
      throw new ChatError('overloaded', undefined, { retryAfterMs: OVERLOADED_MS })
    }
    this.#asked.set(ref, asked)
  }

  #upload(fields: Record<string, unknown>, ackId: number | undefined): void {
    const { file, fileSize } = fields
    const bytes = fileBytes(file, fileSize)
    const tempId = textOf(fields['tempId']) ?? newTempId()
    const { held, maxMessageBytes, translate } = this.#host
    if (this.#uploads >= MAX_UPLOADS || !held.add(bytes.length, this.#userId)) {
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
      notify: (event) => this.#emitAll(translate.of(event), false),
      ended: (result, stored) => {
        this.#uploads -= 1
        held.remove(bytes.length, this.#userId)
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
    this.#acknowledge(asked, { ...sent[1], file })
  }

  #answer(asked: Asked, event: Event, compress: boolean): void {
    switch (event.event) {
      case 'error': {
        const { refusal } = asked
        const isOurs = refusal && (event as Event<'error'>).fields.code === 'unknown_event'
        const fields = isOurs ? refusal.toFields() : (event as Event<'error'>).fields
        return this.#fail(asked, errorFields(fields), compress)
      }
      case 'ok':
        return this.#acknowledge(asked, {
          success: true,
          ...this.#host.translate.result(event as Event<'ok'>),
        })
      case 'pong':
        if (asked.name === 'leave_group') return this.#acknowledge(asked, { success: true })
    }
    const all = this.#host.translate.of(event)
    this.#emitAll(all, compress)
    const success = event.event !== 'message_error'
    this.#acknowledge(asked, { success, ...all[0]?.[1] })
  }

  #fail(asked: Asked, fields: Readonly<Record<string, unknown>>, compress: boolean): void {
    const { name, tempId, ackId } = asked
    if (name === 'send_message' || name === 'upload_file') {
      const timestamp = this.#host.translate.time(this.#host.now())
      this.#emitAll([['message_error', { tempId, ...fields, timestamp }]], compress)
    } else if (ackId === undefined) this.#emitAll([['error', { ...fields, event: name }]], compress)
    this.#acknowledge(asked, { success: false, ...fields })
  }

  /** Always with one map: some clients fail without an argument, and with two they make a list. */
  #acknowledge({ ackId }: Asked, payload: Readonly<Record<string, unknown>>): void {
    if (ackId !== undefined) this.#port.acknowledge(ackId, payload)
  }

  #emitAll(all: readonly ClientEvent[], compress: boolean): void {
    for (const event of all) this.#port.emit(event, compress)
  }

  get #userId(): string {
    return this.#connection.userId
  }

  #nextRef(): number {
    this.#lastRef = this.#lastRef >= MAX_REF ? 1 : this.#lastRef + 1
    return this.#lastRef
  }
}

function shownName(name: unknown): string {
  return typeof name === 'string' ? name.slice(0, MAX_SHOWN_CHARS) : String(name)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
