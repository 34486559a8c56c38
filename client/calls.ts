/**
 * Calls: all requests but messages, over however many connections it takes.
 *
 * One made while there is no connection waits for the next. One whose connection is lost before
 * the answer came is made again where twice is the same as once (`repeatable`); any other rejects
 * with `connection_lost`, since nobody knows whether it was done.
 * Every call ends within the timeout. Bounded: `MAX_WAITING` wait, over it `overloaded`.
 */
import { ChatError } from '../protocol/errors.ts'
import type { Answer, MethodRequest } from '../protocol/methods.ts'
import type { RequestFields, RequestName } from '../protocol/requests.ts'
import { ClientError, isConnectionLost } from './client-error.ts'
import type { Clock } from './clock.ts'
import type { Connection } from './connection.ts'

const MAX_WAITING = 1_000

/** Reads, and changes that twice are as once. A `create_group` is where its outcome is one and the same. */
const repeatable: ReadonlySet<RequestName> = new Set([
  'get_groups',
  'get_history',
  'get_invitations',
  'get_members',
  'get_pins',
  'get_online_users',
  'get_receipts',
  'get_file',
  'get_contacts',
  'search',
  'search_users',
  'join_group',
  'add_member',
  'invite_member',
  'decline_invitation',
  'ban_member',
  'mute_group',
  'delete_message',
  'recall_message',
  'react',
  'unreact',
  'pin_message',
  'unpin_message',
  'message_delivered',
  'message_read',
  'update_status',
  'upload_chunk',
  'upload_end',
] satisfies MethodRequest[])

interface Call {
  readonly name: MethodRequest
  readonly fields: RequestFields<MethodRequest>
  readonly deadlineMs: number
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
  cancelTimeout: () => void
}

export class Calls {
  readonly #clock: Clock
  readonly #timeoutMs: number
  /** In the order in which they were made. */
  readonly #waiting = new Set<Call>()
  #state: Connection | 'offline' | Error = 'offline'

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  make<N extends MethodRequest>(name: N, fields: RequestFields<N>): Promise<Answer<N>> {
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#clock.now() + this.#timeoutMs
      const call: Call = { name, fields, deadlineMs, resolve, reject, cancelTimeout: () => {} }
      this.#start(call)
    })
  }

  /** A connection is there: what waits is sent. */
  online(connection: Connection): void {
    this.#state = connection
    for (const call of this.#waiting) {
      this.#waiting.delete(call)
      call.cancelTimeout()
      this.#send(call, connection)
    }
  }

  /** There is no connection, or not any more. */
  offline(): void {
    this.#state = 'offline'
  }

  /** Rejects what waits, and what is made until there may be a connection again. */
  close(error: Error): void {
    this.#state = error
    for (const { cancelTimeout, reject } of this.#waiting) {
      cancelTimeout()
      reject(error)
    }
    this.#waiting.clear()
  }

  #send(call: Call, connection: Connection): void {
    const leftMs = Math.max(0, call.deadlineMs - this.#clock.now())
    connection
      .request(call.name, call.fields as never, leftMs)
      .then(call.resolve as never, (error: unknown) => {
        if (isConnectionLost(error) && mayRepeat(call)) this.#start(call)
        else call.reject(error)
      })
  }

  #start(call: Call): void {
    if (this.#state instanceof Error) call.reject(this.#state)
    else if (this.#state === 'offline') this.#wait(call)
    else this.#send(call, this.#state)
  }

  #wait(call: Call): void {
    if (this.#waiting.size >= MAX_WAITING) {
      call.reject(new ChatError('overloaded', 'too many requests wait for a connection'))
      return
    }
    this.#waiting.add(call)
    call.cancelTimeout = this.#clock.after(Math.max(0, call.deadlineMs - this.#clock.now()), () => {
      this.#waiting.delete(call)
      call.reject(new ClientError('timeout', 'there was no connection in time; nothing was sent'))
    })
  }
}

function mayRepeat({ name, fields }: Call): boolean {
  if (name === 'create_group') return (fields as RequestFields<'create_group'>).kind === 'direct'
  return repeatable.has(name)
}
