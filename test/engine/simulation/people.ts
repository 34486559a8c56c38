/**
 * People: who is there and how they want to be seen, and what others may see of that (PRS-4).
 *
 * Nobody hears of somebody with whom they share no group; nobody is said to have gone before the
 * time of grace is over; what is told was so. At rest, who was told something was told the last.
 */
import type { LogEntry } from '../../../engine/storage/log.ts'
import type { EventFields } from '../../../protocol/events.ts'
import type { Asked } from './asked.ts'
import type { Apart } from './blocks.ts'
import { Violation } from './violation.ts'

type Status = EventFields<'contact_status_changed'>['status']

interface Person {
  /** What they chose since the last rest, the newest last, and the log's offset of it. */
  chosen: { readonly status: Status; readonly offset: number }[]
  sessions: number
  /** When they had no session since the last rest, milliseconds since 1970. */
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

  /** The connection was told so. */
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

  /** How others see them once everybody has heard. */
  seen(userId: string): Status {
    const person = this.#person(userId)
    return person.sessions > 0 ? (person.chosen.at(-1)?.status ?? 'online') : 'offline'
  }

  /** @throws Violation where nobody asked for it */
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

  /** Whether they have chosen it, and that is committed. */
  isKept(userId: string, status: Status, committed: number): boolean {
    return this.#person(userId).chosen.some((one) => one.status === status && one.offset <= committed)
  }

  /** `apart` is whether a block was between the two. @throws Violation where it was never so */
  told({ userId, status }: EventFields<'contact_status_changed'>, apart: Apart): void {
    // PRV-1
    if (status === 'offline' && apart !== 'no') return
    if (apart === 'yes') throw new Violation(`${userId} was told to be ${status}, in spite of a block`)
    const { chosen, absences } = this.#person(userId)
    if (chosen.some((one) => one.status === status)) return
    const gone = absences.some(({ from, to }) => (to ?? this.#now()) - from >= this.#graceMs)
    if (status === 'offline' && gone) return
    throw new Violation(`${userId} was told to be ${status}, and was at no time so`)
  }

  quiet(): void {
    for (const person of this.#people.values()) {
      person.chosen = person.chosen.slice(-1).map(({ status }) => ({ status, offset: 0 }))
      person.absences = person.absences.slice(-1).filter(({ to }) => to === null)
    }
  }

  /** What was not committed was never chosen; nobody is there any more. */
  crash(committed: (userId: string) => number): void {
    for (const [userId, person] of this.#people) {
      const kept = person.chosen.filter(({ offset }) => offset <= committed(userId))
      person.chosen = kept.slice(-1).map(({ status }) => ({ status, offset: 0 }))
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
