/**
 * Alarms: mail that actors requested for a later time, sent by one timer per shard.
 *
 * An actor requests an alarm by the effect `wakeGroup` or `wakeUser`, and receives the mail `alarm`
 * with the same name at that time or slightly later. There is at most one alarm per actor and name:
 * of two, the earlier time applies. Alarms are not cancelled. The receiver checks whether it is time,
 * and requests another alarm if it is too early. Bounded by the loaded actors and the names, because
 * an actor with an alarm is not evicted.
 */
import type { Alarm } from '../actors/alarm.ts'

/** The steady clock, and a timer that the returned function cancels. */
export interface AlarmClock {
  steadyNow(): number
  after(delayMs: number, then: () => void): () => void
}

interface Entry {
  readonly alarm: Alarm
  readonly at: number
  /** False once an earlier alarm has replaced it. */
  isCurrent: boolean
}

export class Alarms {
  readonly #clock: AlarmClock
  readonly #ring: (alarm: Alarm) => void
  /** A heap, ordered by time. */
  readonly #entries: Entry[] = []
  readonly #byActor = new Map<string, Entry[]>()
  #timer: { readonly at: number; readonly cancel: () => void } | null = null
  /** `draining`: only `ringAll` sends alarms. `closed`: new alarms are ignored. */
  #phase: 'timed' | 'draining' | 'closed' = 'timed'

  constructor(clock: AlarmClock, ring: (alarm: Alarm) => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Number of actors that wait for an alarm. */
  get size(): number {
    return this.#byActor.size
  }

  /** Sends the alarm after that time, or earlier if the same alarm was requested for earlier. */
  set(alarm: Alarm, afterMs: number): void {
    if (this.#phase === 'closed') return
    const at = this.#clock.steadyNow() + afterMs
    const actor = addressOf(alarm.to, alarm.id)
    const entries = this.#byActor.get(actor) ?? []
    const known = entries.findIndex((entry) => entry.alarm.what === alarm.what)
    const earlier = entries[known]
    if (earlier && earlier.at <= at) return
    const entry: Entry = { alarm, at, isCurrent: true }
    if (earlier) {
      earlier.isCurrent = false
      entries[known] = entry
    } else entries.push(entry)
    this.#byActor.set(actor, entries)
    this.#push(entry)
    this.#arm()
  }

  /** Whether the actor waits for an alarm. */
  waits(to: Alarm['to'], id: string): boolean {
    return this.#byActor.has(addressOf(to, id))
  }

  /** The shard drains: sends all alarms now. Alarms set afterwards are sent by the next call. */
  ringAll(): void {
    // An alarm that is requested during this would ring in an endless loop.
    this.close()
    for (let entry = this.#pop(); entry; entry = this.#pop()) this.#send(entry)
    this.#phase = 'draining'
  }

  /** Stops the timer and ignores new alarms. */
  close(): void {
    this.#phase = 'closed'
    this.#timer?.cancel()
    this.#timer = null
  }

  #onTime(): void {
    this.#timer = null
    const now = this.#clock.steadyNow()
    for (let first = this.#entries[0]; first && first.at <= now; first = this.#entries[0]) {
      this.#pop()
      this.#send(first)
    }
    this.#arm()
  }

  #send({ isCurrent, alarm }: Entry): void {
    if (!isCurrent) return
    const actor = addressOf(alarm.to, alarm.id)
    const others = this.#byActor.get(actor)?.filter((other) => other.alarm.what !== alarm.what)
    if (others && others.length > 0) this.#byActor.set(actor, others)
    else this.#byActor.delete(actor)
    this.#ring(alarm)
  }

  #arm(): void {
    const first = this.#entries[0]
    if (this.#phase !== 'timed' || !first || (this.#timer && this.#timer.at <= first.at)) return
    this.#timer?.cancel()
    const delayMs = Math.max(0, first.at - this.#clock.steadyNow())
    this.#timer = { at: first.at, cancel: this.#clock.after(delayMs, () => this.#onTime()) }
  }

  #push(entry: Entry): void {
    const heap = this.#entries
    let i = heap.push(entry) - 1
    while (i > 0) {
      const above = (i - 1) >>> 1
      if ((heap[above] as Entry).at <= entry.at) break
      heap[i] = heap[above] as Entry
      i = above
    }
    heap[i] = entry
  }

  #pop(): Entry | undefined {
    const heap = this.#entries
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last || heap.length === 0) return first
    let i = 0
    for (let below = 1; below < heap.length; below = 2 * i + 1) {
      if (below + 1 < heap.length && (heap[below + 1] as Entry).at < (heap[below] as Entry).at) below += 1
      if ((heap[below] as Entry).at >= last.at) break
      heap[i] = heap[below] as Entry
      i = below
    }
    heap[i] = last
    return first
  }
}

function addressOf(to: Alarm['to'], id: string): string {
  return `${to}:${id}`
}
