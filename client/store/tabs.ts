/**
 * Tabs: which tab of a browser leads, and how the others follow it.
 *
 * The leader holds a lock and the connection to the server. Followers send their requests to it and receive
 * its events, numbered. A follower joins in three steps: it starts to buffer events, asks the leader to write
 * its cache, and loads that; then it handles the buffered events that came later. A missing number, a new
 * leader or the return from the browser's page cache is a reason to join again.
 * When the leader ends, the browser passes the lock to a follower at once. Requests that can be repeated go to
 * the new leader, the others reject with `connection_lost`. A leader that does not answer (a frozen tab) loses
 * the lock after two `CHECK_MS`.
 * Bounded: above `MAX_REQUESTS` requests without an answer, `overloaded`; above `MAX_EVENTS` buffered events the
 * buffer is dropped, and the follower joins again.
 */
import { ChatError } from '../../protocol/errors.ts'
import { ClientError } from '../client-error.ts'
import type { Clock } from '../clock.ts'
import type { TabChannel } from './tab-channel.ts'
import type { TabLocks } from './tab-locks.ts'

const CHECK_MS = 4_000
const MAX_REQUESTS = 1_000
const MAX_EVENTS = 10_000

export interface TabsOptions<State, Event> {
  /** The tabs of one name have one leader. */
  readonly name: string
  readonly channel: TabChannel
  readonly locks: TabLocks
  readonly clock: Clock
  /** The longest time without an answer; above the leader's own limit. */
  readonly timeoutMs: number
  /** This tab leads: it opens the connection. */
  lead(): void
  /** Another tab took the lock: this tab closes the connection. */
  follow(): void
  /** Leader: carries out a request of a follower. */
  answer(name: string, fields: unknown): Promise<unknown>
  /** Leader: writes the cache, and returns what a follower cannot read from it. */
  prepare(): Promise<State>
  /** Follower: loads the cache; `event` follows when it has resolved. */
  join(state: State): Promise<void>
  /** Follower: handles an event of the leader. */
  event(event: Event): void
  /** Whether a request may be carried out twice. */
  isRepeatable(name: string, fields: unknown): boolean
}

type Message = { readonly from: string } & (
  | { readonly tabs: 'leading' | 'join' | 'check' | 'alive' }
  | { readonly tabs: 'joined'; readonly to: string; readonly number: number; readonly state: unknown }
  | { readonly tabs: 'event'; readonly number: number; readonly event: unknown }
  | {
      readonly tabs: 'request'
      readonly to: string
      readonly id: number
      readonly name: string
      readonly fields: unknown
    }
  | { readonly tabs: 'answer'; readonly to: string; readonly id: number; readonly value: unknown }
  | { readonly tabs: 'failed'; readonly to: string; readonly id: number; readonly error: WireError }
)
/** A message without its sender. */
type Body = Message extends infer M ? (M extends Message ? Omit<M, 'from'> : never) : never

interface Request {
  readonly name: string
  readonly fields: unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
  readonly cancelTimeout: () => void
  isSent: boolean
}

type Role =
  | { readonly name: 'leading' }
  /** The leader is not known yet. */
  | { readonly name: 'waiting' }
  | {
      readonly name: 'joining'
      readonly leader: string
      readonly buffered: { readonly number: number; readonly event: unknown }[]
      /** The cache is being loaded. */
      isLoading: boolean
    }
  | { readonly name: 'following'; readonly leader: string }

export class Tabs<State, Event> {
  readonly #options: TabsOptions<State, Event>
  readonly #id = crypto.randomUUID()
  readonly #requests = new Map<number, Request>()
  #role: Role = { name: 'waiting' }
  /** The number of the last event: sent by the leader, or handled by a follower. */
  #number = 0
  #lastId = 0
  /** Whether another tab exists, to which events are sent. */
  #hasFollowers = false
  #isAlive = false
  #release = () => {}
  #cancelCheck = () => {}
  #stopListening = () => {}

  constructor(options: TabsOptions<State, Event>) {
    this.#options = options
  }

  get isLeader(): boolean {
    return this.#role.name === 'leading'
  }

  start(): void {
    const { channel } = this.#options
    this.#stopListening = channel.listen((message) => this.#onMessage(message as Message))
    this.#acquire(false)
    this.#rejoin()
    this.#check()
  }

  /** Ends the part of this tab: another one may lead. Pending requests reject with `closed`. */
  close(): void {
    this.#stopListening()
    this.#cancelCheck()
    this.#release()
    this.#role = { name: 'waiting' }
    this.#settle((request) => request.reject(new ClientError('closed')))
  }

  /** Follower: joins again, for instance after the page returned from the browser's page cache. */
  rejoin(): void {
    if (!this.isLeader) this.#rejoin()
  }

  /** Leader: passes an event to the followers. */
  broadcast(event: Event): void {
    this.#number += 1
    if (this.#hasFollowers) this.#post({ tabs: 'event', number: this.#number, event })
  }

  /** Follower: has the leader carry out a request. Rejects like a method of `ChatClient`. */
  request(name: string, fields: unknown): Promise<unknown> {
    const { clock, timeoutMs } = this.#options
    if (this.isLeader) return this.#options.answer(name, fields)
    if (this.#requests.size >= MAX_REQUESTS) return Promise.reject(new ChatError('overloaded'))
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      const cancelTimeout = clock.after(timeoutMs, () => {
        this.#requests.delete(id)
        reject(new ClientError('timeout'))
      })
      this.#requests.set(id, { name, fields, resolve, reject, cancelTimeout, isSent: false })
      this.#send()
    })
  }

  #acquire(steal: boolean): void {
    this.#release()
    this.#release = this.#options.locks.acquire(
      this.#options.name,
      { steal },
      () => this.#lead(),
      () => {
        this.#acquire(false)
        this.#rejoin()
        this.#options.follow()
      },
    )
  }

  #lead(): void {
    this.#role = { name: 'leading' }
    this.#options.lead()
    this.#post({ tabs: 'leading' })
    this.#lose()
  }

  #rejoin(): void {
    this.#role = { name: 'waiting' }
    this.#post({ tabs: 'join' })
  }

  /** A tab that follows checks that its leader is not frozen. */
  #check(): void {
    this.#isAlive = true
    let isAsked = false
    const check = () => {
      if (this.isLeader || this.#isAlive) isAsked = false
      else if (!isAsked) {
        isAsked = true
        this.#post({ tabs: this.#role.name === 'following' ? 'check' : 'join' })
      } else {
        isAsked = false
        this.#acquire(true)
      }
      this.#isAlive = false
      this.#cancelCheck = this.#options.clock.after(CHECK_MS, check)
    }
    this.#cancelCheck = this.#options.clock.after(CHECK_MS, check)
  }

  #onMessage(message: Message): void {
    if (!('tabs' in message)) return
    const role = this.#role
    if (role.name === 'leading') {
      this.#serve(message)
      return
    }
    if ('leader' in role && message.from === role.leader) this.#isAlive = true
    if ('to' in message && message.to !== this.#id) return
    switch (message.tabs) {
      case 'leading':
        this.#isAlive = true
        this.#role = { name: 'joining', leader: message.from, buffered: [], isLoading: false }
        this.#lose()
        this.#post({ tabs: 'join' })
        break
      case 'join':
        // The tab led until another one took the lock.
        if ('leader' in role && message.from === role.leader) this.#rejoin()
        break
      case 'joined':
        void this.#join(message.from, message.number, message.state as State)
        break
      case 'event':
        this.#onEvent(message.from, message.number, message.event)
        break
      case 'answer':
      case 'failed': {
        const request = this.#requests.get(message.id)
        if (!request) break
        this.#requests.delete(message.id)
        request.cancelTimeout()
        if (message.tabs === 'answer') request.resolve(message.value as never)
        else request.reject(fromWire(message.error))
      }
    }
  }

  #onEvent(from: string, number: number, event: unknown): void {
    const role = this.#role
    if (role.name === 'waiting') {
      // The leader that will answer `join`: what it sends from now on is not missed.
      this.#role = { name: 'joining', leader: from, buffered: [{ number, event }], isLoading: false }
    } else if (role.name === 'leading' || role.leader !== from) return
    else if (role.name === 'joining') {
      role.buffered.push({ number, event })
      if (role.buffered.length > MAX_EVENTS) this.#rejoin()
    } else if (number !== this.#number + 1) this.#rejoin()
    else {
      this.#number = number
      this.#options.event(event as Event)
    }
  }

  async #join(leader: string, number: number, state: State): Promise<void> {
    const before = this.#role
    if (before.name === 'leading' || before.name === 'following') return
    if (before.name === 'joining' && before.leader !== leader) {
      this.#rejoin()
      return
    }
    const role =
      before.name === 'joining'
        ? before
        : { name: 'joining' as const, leader, buffered: [], isLoading: false }
    if (role.isLoading) return
    role.isLoading = true
    this.#role = role
    this.#isAlive = true
    this.#send()
    await this.#options.join(state)
    if (this.#role !== role) return
    const { buffered } = role
    this.#number = number
    this.#role = { name: 'following', leader }
    for (const event of buffered) if (event.number > number) this.#onEvent(leader, event.number, event.event)
  }

  /** Leader: handles the message of a follower. */
  #serve(message: Message): void {
    const { from } = message
    if ('to' in message && message.to !== this.#id) return
    switch (message.tabs) {
      case 'join': {
        this.#hasFollowers = true
        const number = this.#number
        void this.#options
          .prepare()
          .then((state) => this.isLeader && this.#post({ tabs: 'joined', to: from, number, state }))
        break
      }
      case 'check':
        this.#post({ tabs: 'alive' })
        break
      case 'request': {
        const { id } = message
        this.#options.answer(message.name, message.fields).then(
          (value) => this.#post({ tabs: 'answer', to: from, id, value }),
          (error: unknown) => this.#post({ tabs: 'failed', to: from, id, error: toWire(error) }),
        )
      }
    }
  }

  /** The leader is another one: requests without an answer are repeated where that has no further effect. */
  #lose(): void {
    for (const [id, request] of this.#requests) {
      if (request.isSent && !this.#options.isRepeatable(request.name, request.fields)) {
        this.#requests.delete(id)
        request.cancelTimeout()
        request.reject(new ClientError('connection_lost'))
      }
      request.isSent = false
    }
    this.#send()
  }

  /** Sends what waits for a leader. */
  #send(): void {
    if (this.isLeader) {
      this.#settle(({ name, fields, resolve, reject }) =>
        this.#options.answer(name, fields).then(resolve as (value: unknown) => void, reject),
      )
    } else if ('leader' in this.#role) {
      const { leader } = this.#role
      for (const [id, request] of this.#requests) {
        if (request.isSent) continue
        request.isSent = true
        this.#post({ tabs: 'request', to: leader, id, name: request.name, fields: request.fields })
      }
    }
  }

  #settle(how: (request: Request) => void): void {
    for (const request of this.#requests.values()) {
      request.cancelTimeout()
      how(request)
    }
    this.#requests.clear()
  }

  #post(body: Body): void {
    this.#options.channel.post({ ...body, from: this.#id })
  }
}

/** An error as a message. */
type WireError = { readonly isChat: boolean; readonly fields: ReturnType<ChatError['toFields']> }

function toWire(error: unknown): WireError {
  if (error instanceof ClientError)
    return { isChat: false, fields: { code: error.code, message: error.message } }
  return { isChat: true, fields: ChatError.from(error).toFields() }
}

function fromWire({ isChat, fields }: WireError): Error {
  return isChat
    ? ChatError.fromFields(fields)
    : new ClientError(fields.code as ClientError['code'], fields.message)
}
