/**
 * Call sender: sends the messages of one call in their order.
 *
 * A message whose answer was lost is sent again: the receiver counts it once. Any other refusal, for
 * instance of a blocked user, ends the call. Bounded: `MAX_WAITING` payloads, above it the call ends.
 */
import type { Clock } from '../clock.ts'
import { CALL_KIND, type Envelope, payloadsOf } from './call-message.ts'

/** What calls need of a connection; a `Store` has it. */
export interface CallSignals {
  /** The user, as soon as it is known. */
  readonly me: { getSnapshot(): { readonly userId: string } }
  onSignal(
    listener: (signal: {
      readonly groupId: string
      readonly fromUserId: string
      readonly kind: string
      readonly payload: string
    }) => void,
  ): () => void
  signal(signal: {
    readonly groupId: string
    readonly toUserId: string
    readonly kind: string
    readonly payload: string
  }): Promise<void>
}

export interface CallSenderOptions {
  readonly signals: CallSignals
  readonly clock: Clock
  readonly groupId: string
  readonly toUserId: string
  /** A message was refused: the other user cannot be reached. */
  readonly refused: (error: unknown) => void
}

const MAX_WAITING = 200
const RETRY_MS = 1_000
const lostCodes: readonly unknown[] = ['connection_lost', 'timeout', 'overloaded', 'rate_limited']

export class CallSender {
  readonly #options: CallSenderOptions
  readonly #waiting: string[] = []
  #isSending = false
  #isClosed = false

  constructor(options: CallSenderOptions) {
    this.#options = options
  }

  send(envelope: Envelope, n: number): void {
    this.#waiting.push(...payloadsOf(envelope, n))
    if (this.#waiting.length > MAX_WAITING) this.#refuse(new Error('too many messages of a call are waiting'))
    else if (!this.#isSending) void this.#run()
  }

  /** What is waiting is sent if it can be sent at once. */
  close(): void {
    this.#isClosed = true
  }

  async #run(): Promise<void> {
    const { signals, groupId, toUserId, clock } = this.#options
    this.#isSending = true
    for (let payload = this.#waiting[0]; payload !== undefined; payload = this.#waiting[0]) {
      try {
        await signals.signal({ groupId, toUserId, kind: CALL_KIND, payload })
        this.#waiting.shift()
      } catch (error) {
        if (this.#isClosed) break
        if (!lostCodes.includes((error as { readonly code?: unknown } | null)?.code)) {
          this.#refuse(error)
          break
        }
        await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve))
      }
    }
    this.#isSending = false
  }

  #refuse(error: unknown): void {
    this.#waiting.length = 0
    if (this.#isClosed) return
    this.#isClosed = true
    this.#options.refused(error)
  }
}
