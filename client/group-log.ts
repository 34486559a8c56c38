/**
 * Group log: delivers the durable events of one group, each once and in the order of seq
 * (ORD-1, CUP-1).
 *
 * Live events arrive in this order. After a reconnect two streams arrive: missed events up to the
 * baseline from `connected`, and live events above it. Missed events are delivered when they arrive;
 * live events are buffered until all missed events are delivered. Seqs may have gaps. Events that
 * were delivered before are dropped. Bounded: above `MAX_BUFFERED` the connection is closed, and the
 * next catch-up includes the events.
 */
import { type GroupEvent, placeOf } from './group-event.ts'
import { resumeEvents } from './wire-numbers.ts'

const MAX_BUFFERED = resumeEvents

type Phase =
  | { readonly name: 'live' }
  /** The baseline is null if `connected` did not list the group: then all events are buffered. */
  | { readonly name: 'catching up'; readonly baseline: number | null; readonly buffered: GroupEvent[] }

/** How an event was handled. `full`: the buffer is full and the event was dropped. */
export type Outcome = 'delivered' | 'duplicate' | 'buffered' | 'full'

export class GroupLog {
  readonly #deliver: (event: GroupEvent) => void
  #lastSeq: number
  #phase: Phase = { name: 'live' }

  /** `lastSeq` is the baseline: events up to it are not delivered. */
  constructor(lastSeq: number, deliver: (event: GroupEvent) => void) {
    this.#lastSeq = lastSeq
    this.#deliver = deliver
  }

  /** The highest seq that was delivered, or the baseline. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  get catchingUp(): boolean {
    return this.#phase.name === 'catching up'
  }

  /** The highest seq of the catch-up if it is known, else 0. */
  get baseline(): number {
    return this.#phase.name === 'catching up' ? (this.#phase.baseline ?? 0) : 0
  }

  handle(event: GroupEvent): Outcome {
    const { seq } = placeOf(event)
    const phase = this.#phase
    if (phase.name === 'live' || (phase.baseline !== null && seq <= phase.baseline)) {
      return this.#deliverOnce(event, seq) ? 'delivered' : 'duplicate'
    }
    // Without a baseline the missed events are buffered as well.
    const room = phase.baseline === null ? MAX_BUFFERED + resumeEvents : MAX_BUFFERED
    if (phase.buffered.length >= room) return 'full'
    phase.buffered.push(event)
    return 'buffered'
  }

  /** Starts a catch-up on a new connection: live events are buffered. Drops the buffer of an older one. */
  startCatchUp(baseline: number | null): void {
    this.#phase = { name: 'catching up', baseline, buffered: [] }
  }

  /** No event up to `seq` will arrive. Returns the range that is skipped, for the history. */
  skipTo(seq: number): { readonly from: number; readonly to: number } | null {
    if (seq <= this.#lastSeq) return null
    const from = this.#lastSeq + 1
    this.#lastSeq = seq
    return { from, to: seq }
  }

  /** Ends the catch-up. Returns the buffered events by seq, to be handled as live events. */
  goLive(): readonly GroupEvent[] {
    const buffered = this.#phase.name === 'catching up' ? this.#phase.buffered : []
    this.#phase = { name: 'live' }
    return buffered.sort((a, b) => placeOf(a).seq - placeOf(b).seq)
  }

  #deliverOnce(event: GroupEvent, seq: number): boolean {
    if (seq <= this.#lastSeq) return false
    this.#lastSeq = seq
    this.#deliver(event)
    return true
  }
}
