/**
 * Chat client: the SDK's face. One method a request, events, and a connection that comes back.
 *
 * Methods and events are those of a session in the process (SPEC 8). Over any number of
 * connections the application sees each durable event once and in its group's order, and each of
 * its own messages is made once. Answers are what promises resolve with; events are what nobody
 * asked for. Listen before `connect`: what was missed comes right behind `connected`.
 */
import type { DurableEvent, Event, EventFields, EventName } from '../protocol/events.ts'
import {
  type Answer,
  type MethodRequest,
  type RequestMethods,
  requestMethods,
  type SendRequest,
} from '../protocol/methods.ts'
import type { File } from '../protocol/records.ts'
import type { RequestFields, RequestName, requests } from '../protocol/requests.ts'
import { Calls } from './calls.ts'
import { CatchUp } from './catch-up.ts'
import { ClientError } from './client-error.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Connection } from './connection.ts'
import { isLogged, type LoggedEvent, placeOf } from './group-log.ts'
import { GroupLogs, type Missed } from './group-logs.ts'
import { type ClientState, Link, type TokenSource } from './link.ts'
import { Listeners } from './listeners.ts'
import { Outbox } from './outbox.ts'
import { makeTempId } from './temp-id.ts'
import { type FileToUpload, upload } from './upload.ts'
import { toWebSocketUrl } from './websocket.ts'

export interface ChatClientOptions {
  /** `ws://host:port/ws`, or the server's address: `http://host:port`. */
  readonly url: string
  /** A token, or a function that gets one, which lets the client outlive any single token. */
  readonly token: TokenSource
  /** How long an answer may take, milliseconds; 15,000 by default. Messages are not given up. */
  readonly requestTimeoutMs?: number | undefined
  /** After so long without a frame the connection is tested, milliseconds; 25,000 by default. */
  readonly silenceMs?: number | undefined
  /**
   * Messages of one group under way at once. By default 1, which keeps one's own messages in order
   * even where one is refused for a while and repeated; more is faster.
   */
  readonly sendWindow?: number | undefined
  /** Time and chance, for tests. */
  readonly clock?: Clock | undefined
}

type AnswerName = (typeof requests)[RequestName]['answer'] | 'message_error'

/** What nobody asked for, and how an upload over HTTP goes on. */
type HeardName = Exclude<EventName, AnswerName> | 'connected' | 'upload_progress'

/** Events that stand in no group's order. */
type UnorderedName = Exclude<HeardName, DurableEvent | 'connected'>

/** What one can listen to: all that is no answer, and what the client itself has to say. */
export type ClientEvents = {
  readonly [N in HeardName]: EventFields<N>
} & {
  readonly state: ClientState
  /** Too much was missed for `resume`: page the history. Live events follow. */
  readonly missed: Missed
  /** The user was taken out of the group while there was no connection. */
  readonly group_lost: { readonly groupId: string }
}

/** The fields of a message to send. The same `tempId` makes one message; one is made where it is left off. */
export type MessageToSend = Omit<RequestFields<'send_message'>, 'tempId'> & {
  readonly tempId?: string | undefined
}

/** One method a request; `resume` is the client's own business. */
export type ClientMethods = Omit<RequestMethods, 'resume' | 'sendMessage'> & {
  /**
   * Resolves once the message is kept, however long that takes and however many connections.
   * Rejects with a `ChatError` where it is refused for good, or 1,000 have no answer yet.
   */
  sendMessage(fields: MessageToSend): ReturnType<RequestMethods['sendMessage']>
}

const REQUEST_TIMEOUT_MS = 15_000
const SILENCE_MS = 25_000
const MAX_CHUNK_BYTES = 262_144
/** What the frame around a chunk takes at the most. */
const FRAME_BYTES = 256

/** The methods as a class, so that `ChatClient` has them with their types. */
const WithMethods = class {
  constructor(send: SendRequest) {
    const { resume: _, ...methods } = requestMethods(send)
    Object.assign(this, methods)
  }
} as unknown as new (
  send: SendRequest,
) => ClientMethods

/** The connection that is up. */
interface Present {
  readonly connection: Connection
  readonly connected: EventFields<'connected'>
  readonly catchUp: CatchUp
}

interface Waiter {
  readonly resolve: (connected: EventFields<'connected'>) => void
  readonly reject: (error: Error) => void
}

/**
 * One user's connection to a server, for as long as the program wants it. After a reconnect a
 * group that `connected` lists and that was not known before begins at its `lastSeq`: what is older
 * is had from `getHistory`.
 */
export class ChatClient extends WithMethods {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #listeners = new Listeners<ClientEvents>()
  readonly #logs: GroupLogs
  readonly #outbox: Outbox
  readonly #calls: Calls
  readonly #link: Link
  #present: Present | null = null
  #userId = ''
  /** Callers of `connect` that wait. */
  #waiters: Waiter[] = []

  /** Does nothing before `connect`. @throws TypeError where `url` is none. */
  constructor(options: ChatClientOptions) {
    super((name, fields) => this.#send(name, fields))
    const { clock = systemClock, requestTimeoutMs: timeoutMs = REQUEST_TIMEOUT_MS } = options
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#calls = new Calls(clock, timeoutMs)
    this.#outbox = new Outbox({
      clock,
      window: Math.max(1, options.sendWindow ?? 1),
      send: async (fields) => {
        if (!this.#present) throw new ClientError('connection_lost')
        return await this.#present.connection.request('send_message', fields, timeoutMs)
      },
    })
    this.#logs = new GroupLogs({
      deliver: (event) => this.#deliver(event),
      missed: (missed) => this.#listeners.emit('missed', missed),
      lost: (groupId) => this.#listeners.emit('group_lost', { groupId }),
    })
    this.#link = new Link({
      url: toWebSocketUrl(options.url),
      token: options.token,
      clock,
      timeoutMs,
      silenceMs: options.silenceMs ?? SILENCE_MS,
      handlers: {
        state: (state) => this.#listeners.emit('state', state),
        connected: (connection, fields) => this.#onConnected(connection, fields),
        event: (event) => this.#onEvent(event),
        lost: () => this.#onLost(),
        closed: (error) => this.#onClosed(error),
      },
    })
  }

  get state(): ClientState {
    return this.#link.state
  }

  /** Who the token says one is; empty before the first `connected`. */
  get userId(): string {
    return this.#userId
  }

  /** Messages of one's own that have no final answer yet. */
  get unsent(): number {
    return this.#outbox.size
  }

  /**
   * Connects, and stays connected until `close`. Resolves with what `connected` said, however many
   * attempts it takes; rejects with a `ClientError` where no attempt can help: `refused`, `closed`.
   */
  connect(): Promise<EventFields<'connected'>> {
    if (this.#present) return Promise.resolve(this.#present.connected)
    const promise = new Promise<EventFields<'connected'>>((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
    })
    const { state } = this.#link.state
    if (state === 'idle' || state === 'closed') {
      this.#outbox.offline()
      this.#calls.offline()
      this.#link.start()
    }
    return promise
  }

  /** Calls `listener` for each such event; the function returned ends that. */
  on<N extends keyof ClientEvents>(event: N, listener: (fields: ClientEvents[N]) => void): () => void {
    return this.#listeners.on(event, listener)
  }

  /**
   * Uploads a file of any size, in chunks, over reconnects; then `sendMessage` with its `fileId`
   * shows it. Resolves once it is kept; rejects with a `ChatError` or `ClientError`.
   */
  async upload(file: FileToUpload): Promise<File> {
    const { limits } = await this.connect()
    return await upload(file, {
      ask: (name, fields) => this.#send(name, fields),
      clock: this.#clock,
      chunkBytes: Math.min(MAX_CHUNK_BYTES, limits.maxMessageBytes - FRAME_BYTES),
    })
  }

  /** Ends the connection. What has no answer yet rejects with `closed`. */
  close(): void {
    this.#link.close()
  }

  async #send<N extends MethodRequest>(name: N, fields: RequestFields<N>): Promise<Answer<N>> {
    if (name === 'send_message') {
      const message = fields as MessageToSend
      return (await this.#outbox.add({ ...message, tempId: message.tempId ?? makeTempId() })) as Answer<N>
    }
    const answer = await this.#calls.make(name, fields)
    if (name === 'get_groups') this.#logs.listed((answer as Answer<'get_groups'>).groups)
    return answer
  }

  #onConnected(connection: Connection, connected: EventFields<'connected'>): void {
    this.#userId = connected.userId
    // In this very turn: the next frame may be an event that belongs behind the missed ones.
    const catchUp = new CatchUp(this.#logs.begin(connected), {
      connection,
      clock: this.#clock,
      stallMs: this.#timeoutMs,
      onResumed: (asked, answer) => this.#logs.resumed(asked, answer),
    })
    this.#present = { connection, connected, catchUp }
    this.#listeners.emit('state', this.#link.state)
    this.#listeners.emit('connected', connected)
    for (const { resolve } of this.#waiters.splice(0)) resolve(connected)
    // A listener may have closed the client.
    if (!connection.isOpen) return
    this.#calls.online(connection)
    this.#outbox.online()
  }

  #onEvent(event: Event): void {
    if (!isLogged(event)) {
      const { event: name, fields } = event as Event<UnorderedName>
      this.#listeners.emit(name, fields)
      return
    }
    const taken = this.#logs.take(event)
    if (!taken) this.#link.drop({ cause: 'overflow' })
    else if (this.#logs.catchingUp(placeOf(event).groupId)) this.#present?.catchUp.progressed()
  }

  /** An event of a group, in its turn. */
  #deliver(event: LoggedEvent): void {
    if (event.event === 'new_message') {
      const { message } = event.fields
      if (message.senderId === this.#userId) this.#outbox.shown(message)
    } else if (event.event === 'gap') {
      const { groupId, from, to } = event.fields
      this.#outbox.taken(groupId, from, to)
    }
    this.#listeners.emit(event.event, event.fields)
  }

  #onLost(): void {
    this.#present?.catchUp.stop()
    this.#present = null
    this.#calls.offline()
    this.#outbox.offline()
  }

  #onClosed(error: ClientError): void {
    this.#calls.close(error)
    this.#outbox.close(error)
    for (const { reject } of this.#waiters.splice(0)) reject(error)
  }
}
