/**
 * Group log: passes on one group's durable events, each once and in the order of seq
 * (ORD-1, CUP-1).
 *
 * Live, the server sends them so. After a reconnect two streams mix: the missed ones, up to the
 * baseline that `connected` named, and the live ones above it. The missed are passed on as they
 * come, the live ones held until all missed are there. Numbers may jump: what does not exist is
 * not waited for. What was seen is dropped. Bounded: over `MAX_HELD` the connection is given up,
 * and the next one brings what is missing.
 */
import { type DurableEvent, type Event, events } from '../protocol/events.ts'
import { limits } from '../protocol/limits.ts'

/** An event of a group's log. */
export type LoggedEvent = Extract<Event, { readonly event: DurableEvent }>

const MAX_HELD = limits.resumeEvents

export function isLogged(event: Event): event is LoggedEvent {
  return 'durable' in events[event.event]
}

/** The group, and the place in its log. */
export function placeOf(event: LoggedEvent): { readonly groupId: string; readonly seq: number } {
  return event.event === 'new_message' ? event.fields.message : event.fields
}

type Phase =
  | { readonly name: 'live' }
  /** The baseline is null where `connected` had no room to list the group: then all is held. */
  | { readonly name: 'catching up'; readonly baseline: number | null; readonly held: LoggedEvent[] }

/** What became of an event: held, passed on or dropped, or there was no room to hold it. */
export type Taken = 'passed on' | 'seen before' | 'held' | 'full'

export class GroupLog {
  readonly #deliver: (event: LoggedEvent) => void
  #lastSeq: number
  #phase: Phase = { name: 'live' }

  /** `lastSeq` is the baseline: nothing up to it is waited for. */
  constructor(lastSeq: number, deliver: (event: LoggedEvent) => void) {
    this.#lastSeq = lastSeq
    this.#deliver = deliver
  }

  /** The highest seq that the application was given, or the baseline. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  get catchingUp(): boolean {
    return this.#phase.name === 'catching up'
  }

  /** The highest seq that a catch-up brings, where it is known; 0 otherwise. */
  get baseline(): number {
    return this.#phase.name === 'catching up' ? (this.#phase.baseline ?? 0) : 0
  }

  take(event: LoggedEvent): Taken {
    const { seq } = placeOf(event)
    const phase = this.#phase
    if (phase.name === 'live' || (phase.baseline !== null && seq <= phase.baseline)) {
      return this.#pass(event, seq) ? 'passed on' : 'seen before'
    }
    // Without a baseline the missed events are among those held.
    const room = phase.baseline === null ? MAX_HELD + limits.resumeEvents : MAX_HELD
    if (phase.held.length >= room) return 'full'
    phase.held.push(event)
    return 'held'
  }

  /** A new connection begins: from now on live events wait. What an older one held comes again. */
  hold(baseline: number | null): void {
    this.#phase = { name: 'catching up', baseline, held: [] }
  }

  /** Nothing up to `seq` will come; returns the range that is left out, for the history. */
  skipTo(seq: number): { readonly from: number; readonly to: number } | null {
    if (seq <= this.#lastSeq) return null
    const from = this.#lastSeq + 1
    this.#lastSeq = seq
    return { from, to: seq }
  }

  /** All that was missed is there. Returns what was held, by seq, to be taken as live now. */
  goLive(): readonly LoggedEvent[] {
    const held = this.#phase.name === 'catching up' ? this.#phase.held : []
    this.#phase = { name: 'live' }
    return held.sort((a, b) => placeOf(a).seq - placeOf(b).seq)
  }

  #pass(event: LoggedEvent, seq: number): boolean {
    if (seq <= this.#lastSeq) return false
    this.#lastSeq = seq
    this.#deliver(event)
    return true
  }
}
