/**
 * Pending requests: the requests of one connection that the engine has not answered.
 *
 * Counts the requests with a ref, measures one of them at a time, and counts the events that a
 * `resume` replays. A server has ten thousand of these: small integers only, no collections.
 */
import { type EventSpec, events } from '../protocol/events.ts'
import type { FrameView } from '../protocol/frame-view.ts'
import { requests } from '../protocol/requests.ts'
import { clockUs, type Latency } from './metrics/latency.ts'

/** Replayed events per token of `reads`; the request itself covers the first ones (INP-2). */
const REPLAYED_PER_TOKEN = 100
const RESUME_CODE: number = requests.resume.code
const RESUMED_CODE: number = events.resumed.code
const rows: readonly EventSpec[] = Object.values(events)
const durableCodes: ReadonlySet<number> = new Set(rows.filter((row) => row.durable).map((row) => row.code))

export class PendingRequests {
  /** Requests with a ref that have no answer yet. */
  unanswered = 0
  /** The ref of the measured request, or 0, and its arrival time. */
  #timedRef = 0
  #timedAtUs = 0
  /** True between a `resume` and its `resumed`: durable events sent directly are replayed ones. */
  #resuming = false
  /** Replayed events that are not yet charged. */
  #replayed = 0

  /** The engine receives a request. One with ref 0 is not counted: its answer looks like an event. */
  add({ code, ref }: FrameView): void {
    if (ref !== 0) this.unanswered += 1
    if (code === RESUME_CODE) this.#resuming = true
    if (this.#timedRef !== 0) return
    this.#timedRef = ref
    this.#timedAtUs = clockUs()
  }

  /** The engine refused the request synchronously. */
  remove({ ref }: FrameView): void {
    if (ref !== 0) this.unanswered -= 1
    if (this.#timedRef === ref) this.#timedRef = 0
  }

  /** A frame with this ref, which is not 0, was sent to the client: the request is answered. */
  answered(ref: number, latency: Latency): void {
    if (this.unanswered > 0) this.unanswered -= 1
    if (this.#timedRef !== ref) return
    this.#timedRef = 0
    latency.record((clockUs() - this.#timedAtUs) | 0)
  }

  /**
   * An event with this code was sent directly. Returns true if one token has to be charged for
   * replayed events: during the replay, so that a client that disconnects before `resumed` pays, too.
   */
  replayed(code: number): boolean {
    if (!this.#resuming) return false
    if (code === RESUMED_CODE) this.#resuming = false
    if (!durableCodes.has(code)) return false
    this.#replayed += 1
    if (this.#replayed < REPLAYED_PER_TOKEN) return false
    this.#replayed = 0
    return true
  }
}
