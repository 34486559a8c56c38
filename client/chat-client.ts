/**
 * Chat client: the public class of the SDK. One method per request, events, and a connection that
 * reconnects automatically.
 *
 * Methods and events are those of `Session`. Over any number of connections the application receives
 * each durable event once and in its group's order, and each of its messages is created once. Promises
 * resolve with answers; all other events go to listeners. Add listeners before `connect`: missed
 * events follow directly after `connected`.
 */
import type { DurableEvent, Event, EventFields, EventName } from '../protocol/events.ts'
import { Listeners } from '../protocol/listeners.ts'
import type { Answer, MethodRequest, RequestMethods, SendRequest } from '../protocol/methods.ts'
import type { File } from '../protocol/records.ts'
import type { RequestFields, RequestName, requests } from '../protocol/requests.ts'
import { rowMethods } from '../protocol/row-methods.ts'
import { Calls } from './calls.ts'
import { CatchUp } from './catch-up.ts'
import type { ClientConnection } from './client-connection.ts'
import { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import { type GroupEvent, placeOf } from './group-event.ts'
import { GroupLogs, type Missed } from './group-logs.ts'
import { type ClientState, Link } from './link.ts'
import { Names } from './names.ts'
import { type ChatClientOptions, readOptions } from './options.ts'
import { Outbox } from './outbox.ts'
import { Pacers } from './pacer.ts'
import { type ReceiptFields, Receipts } from './receipts.ts'
import { SentSearch } from './sent-search.ts'
import { makeTempId } from './temp-id.ts'
import type { FileToUpload } from './upload.ts'
import { isLogged, requestTable } from './wire.ts'
import { connectedGroups } from './wire-numbers.ts'

type AnswerName = (typeof requests)[RequestName]['answer'] | 'message_error'

/** Events that are not answers, and the progress of an upload over HTTP. */
type PushedName = Exclude<EventName, AnswerName> | 'connected' | 'upload_progress'

/** Events that have no seq. */
type UnorderedName = Exclude<PushedName, DurableEvent | 'connected'>

/**
 * The events for `on`: all events except answers, and the events of the client itself.
 *
 * `user_updated` is also emitted for an update that was missed while the client was disconnected, as soon
 * as an answer or event names the user: `connected` those of direct chats, `getMembers` those of a group.
 * So call `getMembers` for the groups on show when `connected` is emitted again.
 */
export type ClientEvents = {
  readonly [N in PushedName]: EventFields<N>
} & {
  readonly state: ClientState
  /** Too many events were missed for `resume`: page the history. Live events follow. */
  readonly missed: Missed
  /** All events that were missed before the connection was opened have been received. */
  readonly caught_up: object
  /** The user was removed from the group while the client was disconnected. */
  readonly group_lost: { readonly groupId: string }
}

/** The fields of a message to send. A `tempId` creates one message; without it the client creates an id. */
export type MessageToSend = Omit<RequestFields<'send_message'>, 'tempId'> & {
  readonly tempId?: string | undefined
}

/** One method per request, except `resume`, which the client sends itself. */
export type ClientMethods = Omit<RequestMethods, 'resume' | 'sendMessage'> & {
  /**
   * Resolves once the message is stored, without a time limit and over any number of connections,
   * also if `connect` is called again after the server rejected the token. Rejects with a `ChatError`
   * if the message fails permanently or 1,000 messages have no answer yet, and with a `ClientError`
   * after `close`, or if the next token belongs to another user.
   */
  sendMessage(fields: MessageToSend): ReturnType<RequestMethods['sendMessage']>
}

const MAX_CHUNK_BYTES = 262_144
/** The most bytes that a frame adds to a chunk. */
const FRAME_BYTES = 256

/** Most pages send no file: the code for that is loaded with the first one. */
const loadUpload = () =>
  import('./upload.ts').catch(() => {
    throw new ClientError('connection_lost', 'the code for uploads could not be loaded')
  })

/** The methods as a class, so that `ChatClient` has them with their types. */
const WithMethods = class {
  constructor(send: SendRequest) {
    // `resume` is sent by the client itself.
    const rows = [...requestTable].filter(([name, { budget }]) => budget !== '-' && name !== 'resume')
    Object.assign(this, rowMethods(rows, send))
  }
} as unknown as new (
  send: SendRequest,
) => ClientMethods

/** The open connection. */
interface OpenConnection {
  readonly connection: ClientConnection
  readonly connected: EventFields<'connected'>
  readonly catchUp: CatchUp
  /** All groups are known and caught up. */
  isCaughtUp: boolean
}

interface Waiter {
  readonly resolve: (connected: EventFields<'connected'>) => void
  readonly reject: (error: Error) => void
}

/**
 * A client of one user that stays connected until `close`. A group that the user joined while the
 * client was disconnected starts with the events from the user's join.
 *
 * @example
 * ```ts
 * const client = new ChatClient({ url: 'http://localhost:4040', token: () => fetchToken() })
 * client.on('new_message', ({ message }) => show(message))
 * await client.connect()
 * await client.sendMessage({ groupId: 'team', content: 'Hello' })
 * ```
 */
export class ChatClient extends WithMethods {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #listeners = new Listeners<ClientEvents>()
  readonly #pacers: Pacers
  readonly #names: Names
  readonly #logs: GroupLogs
  readonly #outbox: Outbox
  readonly #search: SentSearch
  readonly #calls: Calls
  readonly #receipts: Receipts
  readonly #link: Link
  #current: OpenConnection | null = null
  #userId = ''
  /** Pending calls of `connect`. */
  #waiters: Waiter[] = []

  /**
   * Makes no connection before `connect`.
   * @throws TypeError or RangeError if an option is invalid or unknown.
   */
  constructor(options: ChatClientOptions) {
    super((name, fields) => this.#send(name, fields))
    const { url, token, clock, timeoutMs, silenceMs, sendWindow, start, openSocket } = readOptions(options)
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#userId = start?.userId ?? ''
    this.#pacers = new Pacers(clock)
    this.#names = new Names(clock, (update) => this.#listeners.emit('user_updated', update))
    this.#outbox = new Outbox({
      clock,
      pacer: this.#pacers.of('send_message'),
      window: sendWindow,
      isCaughtUp: (groupId) => this.#isCaughtUp(groupId),
      lastSeq: (groupId) => this.#logs.lastSeq(groupId),
      send: async (fields) => {
        if (!this.#current) throw new ClientError('connection_lost')
        return await this.#current.connection.request('send_message', fields, timeoutMs)
      },
    })
    this.#calls = new Calls({ clock, timeoutMs, pacers: this.#pacers })
    this.#receipts = new Receipts({ clock, ask: (name, fields) => this.#calls.make(name, fields) })
    this.#search = new SentSearch({
      clock,
      ask: (name, fields) => this.#calls.make(name, fields),
      isNeeded: (groupId) => this.#outbox.hasUnanswered(groupId),
      onPage: (groupId, messages, gaps) => {
        for (const message of messages) if (message.senderId === this.#userId) this.#outbox.shown(message)
        for (const { from, to } of gaps) this.#outbox.lost(groupId, from, to)
      },
      onDone: (groupId, to) => this.#outbox.caughtUp(groupId, to),
    })
    this.#logs = new GroupLogs(
      {
        deliver: (event) => this.#deliver(event),
        missed: (missed) => {
          this.#search.add(missed)
          this.#listeners.emit('missed', missed)
        },
        lost: (groupId) => this.#listeners.emit('group_lost', { groupId }),
        discovered: (position) => this.#current?.catchUp.start(position),
        caughtUp: (groupId, seq) => {
          if (this.#search.has(groupId)) this.#search.start(groupId)
          else this.#outbox.caughtUp(groupId, seq)
        },
      },
      start,
    )
    this.#link = new Link({
      url,
      token,
      clock,
      timeoutMs,
      silenceMs,
      openSocket,
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

  /** The user of the token; before the first `connected`, that of the start positions or empty. */
  get userId(): string {
    return this.#userId
  }

  /** The number of sent messages without a final answer. */
  get unsent(): number {
    return this.#outbox.size
  }

  /**
   * Connects, and stays connected until `close`. Resolves with the fields of `connected`, after any
   * number of attempts. Rejects with a `ClientError` if a retry cannot help: `refused` with a close
   * code from 4400 on, or `closed`. After `refused`, messages without an answer stay in the client and
   * are sent when `connect` is called again with a valid token.
   */
  connect(): Promise<EventFields<'connected'>> {
    if (this.#current) return Promise.resolve(this.#current.connected)
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

  /**
   * The network may have changed: makes the next attempt to connect now, if the client waits for it and the browser
   * does not report that there is no network. An open connection is checked, and ends if nothing arrives within 10
   * seconds.
   */
  retryNow(): void {
    this.#link.retryNow()
  }

  /** The answer to a request by its name in the protocol; for programs that choose it while they run. */
  request<N extends MethodRequest>(name: N, fields: RequestFields<N>): Promise<Answer<N>> {
    return this.#send(name, fields)
  }

  /**
   * Like `sendMessage`, for a message that an earlier run of the application may have sent already: it is
   * repeated when the missed events of its group have arrived without it (IDM-1).
   */
  resendMessage(fields: RequestFields<'send_message'>): Promise<Answer<'send_message'>> {
    return this.#outbox.add(fields, 1)
  }

  /** Calls `listener` for each event of this name; the returned function removes it. */
  on<N extends keyof ClientEvents>(event: N, listener: (fields: ClientEvents[N]) => void): () => void {
    return this.#listeners.on(event, listener)
  }

  /**
   * Uploads a file of any size, in chunks, over reconnects. `sendMessage` with its `fileId` then
   * shows it. Resolves once it is stored; rejects with a `ChatError` or `ClientError`, `connection_lost` too
   * if the code for uploads cannot be loaded.
   */
  async upload(file: FileToUpload): Promise<File> {
    const { limits } = await this.connect()
    const { upload } = await loadUpload()
    return await upload(file, {
      ask: (name, fields) => this.#send(name, fields),
      clock: this.#clock,
      chunkBytes: Math.min(MAX_CHUNK_BYTES, limits.maxMessageBytes - FRAME_BYTES),
    })
  }

  /** Ends the connection. Pending requests and messages reject with `closed`. */
  close(): void {
    this.#link.close()
  }

  async #send<N extends MethodRequest>(name: N, fields: RequestFields<N>): Promise<Answer<N>> {
    if (name === 'send_message') {
      const message = fields as MessageToSend
      return (await this.#outbox.add({ ...message, tempId: message.tempId ?? makeTempId() })) as Answer<N>
    }
    if (name === 'message_read' || name === 'message_delivered') {
      return (await this.#receipts.send(name, fields as ReceiptFields)) as Answer<N>
    }
    if (name === 'mark_unread') this.#receipts.flushRead((fields as RequestFields<'mark_unread'>).groupId)
    const answer = await this.#calls.make(name, fields)
    this.#names.compare(answer)
    if (name === 'get_groups') this.#onListed(answer as Answer<'get_groups'>)
    return answer
  }

  #onConnected(connection: ClientConnection, connected: EventFields<'connected'>): void {
    if (this.#userId !== '' && this.#userId !== connected.userId) {
      this.#abandon(new ClientError('closed', 'the new token belongs to another user'))
      this.#names.clear()
    }
    this.#userId = connected.userId
    // In this turn of the event loop: the next frame may be a live event, to be buffered.
    const positions = this.#logs.begin(connected)
    const listAll = connected.hasMore === true || connected.groups.length >= connectedGroups
    const catchUp = new CatchUp(positions, listAll, {
      connection,
      clock: this.#clock,
      stallMs: this.#timeoutMs,
      onResumed: (asked, answer) => this.#logs.resumed(asked, answer),
      onListed: ({ groups }) => {
        this.#names.compare(groups)
        return this.#logs.listed(groups)
      },
      onDone: () => {
        this.#logs.complete()
        current.isCaughtUp = true
        this.#outbox.allCaughtUp()
        this.#listeners.emit('caught_up', {})
      },
    })
    const current: OpenConnection = { connection, connected, catchUp, isCaughtUp: false }
    this.#current = current
    this.#listeners.emit('state', this.#link.state)
    this.#listeners.emit('connected', connected)
    this.#names.compare(connected)
    for (const { resolve } of this.#waiters.splice(0)) resolve(connected)
    // A listener may have closed the client.
    if (!connection.isOpen) return
    catchUp.start()
    this.#calls.online(connection)
    this.#outbox.online()
  }

  /** Handles a page of `get_groups` that the application requested. */
  #onListed({ groups }: Answer<'get_groups'>): void {
    for (const position of this.#logs.listed(groups)) this.#current?.catchUp.start(position)
  }

  /** Whether all events of the group up to now were received; for an unknown group, of all groups. */
  #isCaughtUp(groupId: string): boolean {
    if (!this.#current || this.#search.has(groupId) || this.#logs.catchingUp(groupId)) return false
    return this.#current.isCaughtUp || this.#logs.lastSeq(groupId) > 0
  }

  #onEvent(event: Event): void {
    if (event.event === 'user_updated') this.#names.update(event.fields)
    else this.#names.compare(event.fields)
    if (!isLogged(event)) {
      const { event: name, fields } = event as Event<UnorderedName>
      this.#listeners.emit(name, fields)
      return
    }
    const handled = this.#logs.handle(event)
    if (!handled) this.#link.drop({ cause: 'overflow' })
    else if (this.#logs.catchingUp(placeOf(event).groupId)) this.#current?.catchUp.progressed()
  }

  /** Handles the next event in the order of its group. */
  #deliver(event: GroupEvent): void {
    if (event.event === 'new_message') {
      const { message } = event.fields
      if (message.senderId === this.#userId) this.#outbox.shown(message)
    } else if (event.event === 'gap') {
      const { groupId, from, to } = event.fields
      this.#outbox.lost(groupId, from, to)
    }
    this.#listeners.emit(event.event, event.fields)
  }

  #onLost(): void {
    this.#current?.catchUp.stop()
    this.#current = null
    this.#calls.offline()
    this.#outbox.offline()
  }

  #onClosed(error: ClientError): void {
    // Messages wait for the next `connect`, unless the application closed the client.
    if (error.code === 'refused') {
      this.#calls.close(error)
      this.#receipts.close(error)
    } else {
      this.#abandon(error)
    }
    for (const { reject } of this.#waiters.splice(0)) reject(error)
  }

  /** Rejects everything that has no answer. */
  #abandon(error: ClientError): void {
    this.#calls.close(error)
    this.#receipts.close(error)
    this.#outbox.close(error)
    this.#search.clear()
    this.#pacers.reset()
  }
}
