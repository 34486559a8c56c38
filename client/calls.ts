/**
 * Calls: all requests except messages, over any number of connections.
 *
 * Calls are sent in the order in which they were made, at most `MAX_IN_FLIGHT` of a budget at a time.
 * The others wait for a connection, for an answer, or for the pacer. A call that fails with
 * `rate_limited` is sent again. A call whose connection is lost is sent again if it is idempotent
 * (`isRepeatable`); any other call rejects with `connection_lost`, because its effect is unknown.
 * Every call ends within the time limit. Bounded: above `MAX_WAITING` waiting calls, `overloaded`.
 */
import { ChatError } from '../protocol/errors.ts'
import type { Answer, MethodRequest } from '../protocol/methods.ts'
import type { RequestFields } from '../protocol/requests.ts'
import type { ClientConnection } from './client-connection.ts'
import { ClientError, isConnectionLost } from './client-error.ts'
import type { Clock } from './clock.ts'
import type { Pacer, Pacers } from './pacer.ts'
import { isRepeatable } from './repeatable.ts'

const MAX_WAITING = 2_000
/** Far below the number of rate-limited requests for which the server closes the connection (4029). */
const MAX_IN_FLIGHT = 32

interface Call {
  /** Increases with each call: the order of sending. */
  readonly number: number
  readonly name: MethodRequest
  readonly fields: RequestFields<MethodRequest>
  readonly deadlineMs: number
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
  /** The latest `rate_limited` error. */
  rateLimited: ChatError | null
  /** An earlier answer was lost: the request may have been executed. */
  answerLost: boolean
  cancelTimeout: () => void
}

/** The calls of one budget. */
interface Lane {
  readonly pacer: Pacer
  /** By number, ascending. */
  readonly waiting: Call[]
  inFlight: number
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
  #state: ClientConnection | 'offline' | Error = 'offline'

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
        rateLimited: null,
        answerLost: false,
        cancelTimeout: () => {},
      })
      this.#pump(lane)
    })
  }

  /** A connection is open: waiting calls are sent. */
  online(connection: ClientConnection): void {
    this.#state = connection
    for (const lane of this.#lanes.values()) this.#pump(lane)
  }

  /** The connection has ended. */
  offline(): void {
    this.#state = 'offline'
  }

  /** Rejects the waiting calls, and new calls until `offline` or `online` is called. */
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
    const lane: Lane = { pacer, waiting: [], inFlight: 0 }
    this.#lanes.set(pacer, lane)
    pacer.onOpen(() => this.#pump(lane))
    return lane
  }

  #pump(lane: Lane): void {
    while (lane.waiting.length > 0) {
      const connection = this.#state
      if (connection instanceof Error || connection === 'offline') return
      if (!connection.isOpen || !lane.pacer.isOpen || lane.inFlight >= MAX_IN_FLIGHT) return
      const call = lane.waiting.shift() as Call
      this.#waiting -= 1
      call.cancelTimeout()
      this.#send(lane, call, connection)
    }
  }

  #send(lane: Lane, call: Call, connection: ClientConnection): void {
    const leftMs = Math.max(0, call.deadlineMs - this.#options.clock.now())
    lane.inFlight += 1
    lane.pacer.sent()
    connection.request(call.name, call.fields as never, leftMs).then(
      (answer) => {
        lane.inFlight -= 1
        call.resolve(answer as never)
        this.#pump(lane)
      },
      (error: unknown) => {
        lane.inFlight -= 1
        if (error instanceof ChatError && error.code === 'rate_limited') this.#delay(lane, call, error)
        else if (isConnectionLost(error) && isRepeatable(call.name, call.fields)) {
          call.answerLost = true
          this.#again(lane, call)
        } else if (wasExecuted(call, error)) call.resolve({} as never)
        else call.reject(error)
        this.#pump(lane)
      },
    )
  }

  /** A rate-limited call had no effect, so that any call can be sent again. */
  #delay(lane: Lane, call: Call, error: ChatError): void {
    call.rateLimited = error
    const retryAfterMs = error.retryAfterMs ?? 0
    lane.pacer.limited(retryAfterMs)
    if (this.#options.clock.now() + retryAfterMs < call.deadlineMs) this.#again(lane, call)
    else call.reject(error)
  }

  #again(lane: Lane, call: Call): void {
    if (this.#state instanceof Error) call.reject(this.#state)
    else this.#wait(lane, call)
  }

  #wait(lane: Lane, call: Call): void {
    if (this.#waiting >= MAX_WAITING) {
      call.reject(new ChatError('overloaded', 'too many requests are waiting to be sent'))
      return
    }
    const { clock } = this.#options
    const { waiting } = lane
    const next = waiting.findIndex(({ number }) => number > call.number)
    waiting.splice(next < 0 ? waiting.length : next, 0, call)
    this.#waiting += 1
    call.cancelTimeout = clock.after(Math.max(0, call.deadlineMs - clock.now()), () => {
      waiting.splice(waiting.indexOf(call), 1)
      this.#waiting -= 1
      call.reject(call.rateLimited ?? new ClientError('timeout', 'the request could not be sent in time'))
    })
  }
}

/** After an invitation was declined, its group does not exist for the user any more (IDN-7). */
function wasExecuted({ name, answerLost }: Call, error: unknown): boolean {
  return (
    answerLost && name === 'decline_invitation' && error instanceof ChatError && error.code === 'not_found'
  )
}
