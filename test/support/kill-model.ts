/**
 * Kill model: what the tests that kill a server under load remember of its clients, of any protocol.
 */
import type { Event } from '../../protocol/events.ts'
import { LogModel } from './log-model.ts'

/** A sender with requests in flight, who repeats the unanswered ones, and records what was acknowledged as what. */
export class KilledSender {
  readonly userId: string
  readonly acknowledged = new Map<string, number>()
  readonly violations: string[] = []
  readonly #inFlight: number
  readonly #unanswered = new Set<string>()
  #next = 0
  #send: (tempId: string) => void = () => {}
  #onAnswer: () => void = () => {}

  constructor(userId: string, inFlight: number) {
    this.userId = userId
    this.#inFlight = inFlight
  }

  /** Sends over a new connection. `onAnswer` is called synchronously with an answer, before the next message. */
  use(send: (tempId: string) => void, onAnswer: () => void): void {
    this.#send = send
    this.#onAnswer = onAnswer
    for (const tempId of [...this.#unanswered]) send(tempId)
    while (this.#unanswered.size < this.#inFlight) this.#sendNew()
  }

  answered(tempId: string, seq: number): void {
    const before = this.acknowledged.get(tempId)
    if (before !== undefined && before !== seq) {
      this.violations.push(`${tempId} was acknowledged as ${before} and as ${seq}`)
    }
    this.acknowledged.set(tempId, seq)
    this.#unanswered.delete(tempId)
    this.#onAnswer()
    this.#sendNew()
  }

  #sendNew(): void {
    const tempId = `t${this.#next++}`
    this.#unanswered.add(tempId)
    this.#send(tempId)
  }
}

/** What a client shows that resumes after each kill: live events wait until the missed ones have arrived. */
export class ResumedLog {
  readonly model: LogModel
  #live: Event[] = []
  #isResuming = true

  constructor(groupId: string) {
    this.model = new LogModel(groupId)
  }

  /** A new connection, which sends `resume`. */
  begin(): void {
    this.#isResuming = true
    this.#live = []
  }

  handle(event: Event): void {
    if (event.event === 'resumed') {
      this.#isResuming = false
      for (const one of this.#live.sort((a, b) => seqOf(a) - seqOf(b))) this.model.take(one)
    } else if (this.#isResuming) this.#live.push(event)
    else this.model.take(event)
  }
}

/** The position of an event in its group's log; events without one come first. */
function seqOf({ fields }: Event): number {
  const { seq, message } = fields as { readonly seq?: number; readonly message?: { readonly seq: number } }
  return message?.seq ?? seq ?? 0
}
