/**
 * People: who is connected, the status they have chosen, and what others may see of it (PRS-4).
 *
 * Users who share no group receive no status of each other. A user is not reported offline before the
 * grace period is over. Every reported status was true. At rest, the last status that was
 * reported is the current one.
 */
import type { LogEntry } from '../../../engine/stored/log-entry.ts'
import type { EventFields } from '../../../protocol/events.ts'
import type { Asked } from './asked.ts'
import type { Apart } from './blocks.ts'
import { Violation } from './violation.ts'

type Status = EventFields<'contact_status_changed'>['status']

interface Person {
  /** The statuses chosen since the last rest, newest last, with their offset in the log. */
  chosen: { readonly status: Status; readonly offset: number }[]
  sessions: number
  /** When they had no session since the last rest, in milliseconds of the clock given. */
  absences: { readonly from: number; to: number | null }[]
}

export class People {
  readonly #graceMs: number
  readonly #now: () => number
  readonly #people = new Map<string, Person>()

  constructor(graceMs: number, now: () => number) {
    this.#graceMs = graceMs
    this.#now = now
  }

  /** A connection begins. */
  opening(userId: string): void {
    this.#person(userId).sessions += 1
  }

  /** The connection has received `connected`. */
  connected(userId: string): void {
    const last = this.#person(userId).absences.at(-1)
    if (last?.to === null) last.to = this.#now()
  }

  closed(userId: string): void {
    const person = this.#person(userId)
    person.sessions -= 1
    const last = person.absences.at(-1)
    if (person.sessions === 0 && last?.to !== null) person.absences.push({ from: this.#now(), to: null })
  }

  /** The status that others see when all events have arrived. */
  seen(userId: string): Status {
    const person = this.#person(userId)
    return person.sessions > 0 ? (person.chosen.at(-1)?.status ?? 'online') : 'offline'
  }

  /** @throws Violation if no request asked for it */
  appended(offset: number, entry: LogEntry, asked: readonly Asked[]): void {
    if (entry.type !== 'presence') return
    const { userId, status } = entry
    const person = this.#person(userId)
    if (person.chosen.at(-1)?.status === status) return
    const wanted = asked.some(
      ({ userId: by, request }) =>
        by === userId && request.event === 'update_status' && request.fields.status === status,
    )
    if (!wanted) throw new Violation(`${userId} became ${status}: nobody asked for it`)
    person.chosen.push({ status, offset })
  }

  /** Whether they have chosen the status, and that is committed. */
  isStored(userId: string, status: Status, committed: number): boolean {
    return this.#person(userId).chosen.some((one) => one.status === status && one.offset <= committed)
  }

  /** A device received a status. `apart`: whether a block separates the two. @throws Violation if it was never true */
  received({ userId, status }: EventFields<'contact_status_changed'>, apart: Apart): void {
    // PRV-1
    if (status === 'offline' && apart !== 'no') return
    if (apart === 'yes') throw new Violation(`${userId} was reported as ${status}, in spite of a block`)
    const { chosen, absences } = this.#person(userId)
    if (chosen.some((one) => one.status === status)) return
    const isOffline = absences.some(({ from, to }) => (to ?? this.#now()) - from >= this.#graceMs)
    if (status === 'offline' && isOffline) return
    throw new Violation(`${userId} was reported as ${status}, which was not so at any time`)
  }

  quiet(): void {
    for (const person of this.#people.values()) {
      person.chosen = person.chosen.slice(-1).map(({ status }) => ({ status, offset: 0 }))
      person.absences = person.absences.slice(-1).filter(({ to }) => to === null)
    }
  }

  /** Drops what was not committed, and all connections. */
  crash(committed: (userId: string) => number): void {
    for (const [userId, person] of this.#people) {
      const stored = person.chosen.filter(({ offset }) => offset <= committed(userId))
      person.chosen = stored.slice(-1).map(({ status }) => ({ status, offset: 0 }))
      person.absences = []
      person.sessions = 0
    }
  }

  #person(userId: string): Person {
    const known = this.#people.get(userId)
    if (known) return known
    const made: Person = { chosen: [{ status: 'online', offset: 0 }], sessions: 0, absences: [] }
    this.#people.set(userId, made)
    return made
  }
}
