/**
 * Alarms: mail that actors asked to be sent at a time, by one timer a shard.
 *
 * An actor asks by the effect `wakeGroup` or `wakeUser` and gets the mail `alarm` with the same
 * name then, or a little later. Of each name it has one at most: asking again keeps the earlier
 * of the two, and an alarm that is no longer needed rings all the same; whoever hears it looks at
 * the time and asks anew where it was too early. So there is nothing to call off, and there are
 * never more of them than loaded actors and names: an actor with an alarm is not evicted.
 */
import type { Alarm } from '../actors/alarm.ts'

/** Time, handed in: that of `Clock`, and a timer that the returned function cancels. */
export interface AlarmClock {
  steadyNow(): number
  after(delayMs: number, then: () => void): () => void
}

interface Entry {
  readonly alarm: Alarm
  readonly at: number
  /** False once an earlier one has taken its place. */
  holds: boolean
}

export class Alarms {
  readonly #clock: AlarmClock
  readonly #ring: (alarm: Alarm) => void
  /** A heap by time. */
  readonly #entries: Entry[] = []
  readonly #byActor = new Map<string, Entry[]>()
  #timer: { readonly at: number; readonly cancel: () => void } | null = null
  /** `draining`: alarms wait for `ringAll` alone. `deaf`: what is asked for is not taken. */
  #phase: 'timed' | 'draining' | 'deaf' = 'timed'

  constructor(clock: AlarmClock, ring: (alarm: Alarm) => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Actors that wait for an alarm, for the stats. */
  get size(): number {
    return this.#byActor.size
  }

  /** Rings after that time, unless the same rings earlier anyway. */
  set(alarm: Alarm, afterMs: number): void {
    if (this.#phase === 'deaf') return
    const at = this.#clock.steadyNow() + afterMs
    const actor = addressOf(alarm.to, alarm.id)
    const entries = this.#byActor.get(actor) ?? []
    const known = entries.findIndex((entry) => entry.alarm.what === alarm.what)
    const earlier = entries[known]
    if (earlier && earlier.at <= at) return
    const entry: Entry = { alarm, at, holds: true }
    if (earlier) {
      earlier.holds = false
      entries[known] = entry
    } else entries.push(entry)
    this.#byActor.set(actor, entries)
    this.#push(entry)
    this.#arm()
  }

  /** Whether this actor has one to come. */
  waits(to: Alarm['to'], id: string): boolean {
    return this.#byActor.has(addressOf(to, id))
  }

  /** All ring now, for the shard drains; those set later, when it is called again. */
  ringAll(): void {
    // What is asked for while all ring would ring for ever.
    this.close()
    for (let entry = this.#pop(); entry; entry = this.#pop()) this.#rung(entry)
    this.#phase = 'draining'
  }

  /** Ends the timer, and takes no more. */
  close(): void {
    this.#phase = 'deaf'
    this.#timer?.cancel()
    this.#timer = null
  }

  #onTime(): void {
    this.#timer = null
    const now = this.#clock.steadyNow()
    for (let first = this.#entries[0]; first && first.at <= now; first = this.#entries[0]) {
      this.#pop()
      this.#rung(first)
    }
    this.#arm()
  }

  #rung({ holds, alarm }: Entry): void {
    if (!holds) return
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
