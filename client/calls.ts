/**
 * Calls: all requests except messages, over any number of connections.
 *
 * Calls leave in the order in which they were made, at most `MAX_UNDER_WAY` of a budget without an
 * answer. The others wait: for a connection, for an answer, or for the pacer after `rate_limited`,
 * which is not an answer but a reason to send the call again. A call whose connection is lost is
 * sent again if doing it twice is the same as once (`repeatable`); any other rejects with
 * `connection_lost`, since nobody knows whether it was done.
 * Every call ends within the time limit. Bounded: over `MAX_WAITING` waiting calls, `overloaded`.
 */
import { ChatError } from '../protocol/errors.ts'
import type { Answer, MethodRequest } from '../protocol/methods.ts'
import type { RequestFields, RequestName } from '../protocol/requests.ts'
import { ClientError, isConnectionLost } from './client-error.ts'
import type { Clock } from './clock.ts'
import type { Connection } from './connection.ts'
import type { Pacer, Pacers } from './pacer.ts'

const MAX_WAITING = 2_000
/** Refused all at once they are still far from the number for which the server closes (4029). */
const MAX_UNDER_WAY = 32

/** Reads, and changes that done twice are the same as once; `create_group` depends on its fields. */
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
  'block_user',
  'unblock_user',
  'get_blocked',
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
  'mark_unread',
  'update_status',
  'upload_chunk',
  'upload_end',
] satisfies MethodRequest[])

interface Call {
  /** Grows from call to call: the order in which they leave. */
  readonly number: number
  readonly name: MethodRequest
  readonly fields: RequestFields<MethodRequest>
  readonly deadlineMs: number
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
  /** The latest `rate_limited`. */
  refusal: ChatError | null
  cancelTimeout: () => void
}

/** The calls of one budget. */
interface Lane {
  readonly pacer: Pacer
  /** By number, ascending. */
  readonly waiting: Call[]
  underWay: number
}

export interface CallsOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly pacers: Pacers
}

export class Calls {
  readonly #options: CallsOptions
  readonly #lanes = new Map<Pacer, Lane>()
  #count = 0
  #waiting = 0
  #state: Connection | 'offline' | Error = 'offline'

  constructor(options: CallsOptions) {
    this.#options = options
  }

  make<N extends MethodRequest>(name: N, fields: RequestFields<N>): Promise<Answer<N>> {
    return new Promise((resolve, reject) => {
      if (this.#state instanceof Error) throw this.#state
      const { clock, timeoutMs } = this.#options
      this.#count += 1
      const number = this.#count
      const deadlineMs = clock.now() + timeoutMs
      const lane = this.#laneOf(name)
      this.#wait(lane, {
        number,
        name,
        fields,
        deadlineMs,
        resolve,
        reject,
        refusal: null,
        cancelTimeout: () => {},
      })
      this.#pump(lane)
    })
  }

  /** There is a connection: what waits is sent. */
  online(connection: Connection): void {
    this.#state = connection
    for (const lane of this.#lanes.values()) this.#pump(lane)
  }

  /** There is no connection. */
  offline(): void {
    this.#state = 'offline'
  }

  /** Rejects what waits, and what is made before `offline` or `online` is called again. */
  close(error: Error): void {
    this.#state = error
    this.#waiting = 0
    for (const { waiting } of this.#lanes.values()) {
      for (const { cancelTimeout, reject } of waiting.splice(0)) {
        cancelTimeout()
        reject(error)
      }
    }
  }

  #laneOf(name: MethodRequest): Lane {
    const pacer = this.#options.pacers.of(name)
    const known = this.#lanes.get(pacer)
    if (known) return known
    const lane: Lane = { pacer, waiting: [], underWay: 0 }
    this.#lanes.set(pacer, lane)
    pacer.onOpen(() => this.#pump(lane))
    return lane
  }

  #pump(lane: Lane): void {
    while (lane.waiting.length > 0) {
      const connection = this.#state
      if (connection instanceof Error || connection === 'offline') return
      if (!connection.isOpen || !lane.pacer.isOpen || lane.underWay >= MAX_UNDER_WAY) return
      const call = lane.waiting.shift() as Call
      this.#waiting -= 1
      call.cancelTimeout()
      this.#send(lane, call, connection)
    }
  }

  #send(lane: Lane, call: Call, connection: Connection): void {
    const leftMs = Math.max(0, call.deadlineMs - this.#options.clock.now())
    lane.underWay += 1
    lane.pacer.left()
    connection.request(call.name, call.fields as never, leftMs).then(
      (answer) => {
        lane.underWay -= 1
        call.resolve(answer as never)
        this.#pump(lane)
      },
      (error: unknown) => {
        lane.underWay -= 1
        if (error instanceof ChatError && error.code === 'rate_limited') this.#hold(lane, call, error)
        else if (isConnectionLost(error) && mayRepeat(call)) this.#again(lane, call)
        else call.reject(error)
        this.#pump(lane)
      },
    )
  }

  /** Refused by the rate limit: nothing was done, so that any call may be sent again. */
  #hold(lane: Lane, call: Call, error: ChatError): void {
    call.refusal = error
    const retryAfterMs = error.retryAfterMs ?? 0
    lane.pacer.refused(retryAfterMs)
    if (this.#options.clock.now() + retryAfterMs < call.deadlineMs) this.#again(lane, call)
    else call.reject(error)
  }

  #again(lane: Lane, call: Call): void {
    if (this.#state instanceof Error) call.reject(this.#state)
    else this.#wait(lane, call)
  }

  #wait(lane: Lane, call: Call): void {
    if (this.#waiting >= MAX_WAITING) {
      call.reject(new ChatError('overloaded', 'too many requests wait to be sent'))
      return
    }
    const { clock } = this.#options
    const { waiting } = lane
    const behind = waiting.findIndex(({ number }) => number > call.number)
    waiting.splice(behind < 0 ? waiting.length : behind, 0, call)
    this.#waiting += 1
    call.cancelTimeout = clock.after(Math.max(0, call.deadlineMs - clock.now()), () => {
      waiting.splice(waiting.indexOf(call), 1)
      this.#waiting -= 1
      call.reject(call.refusal ?? new ClientError('timeout', 'it could not be sent in time'))
    })
  }
}

function mayRepeat({ name, fields }: Call): boolean {
  if (name === 'create_group') return (fields as RequestFields<'create_group'>).kind === 'direct'
  return repeatable.has(name)
}
