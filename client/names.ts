/**
 * Names: the newest name and picture that the application was given of each user (IDN-2).
 *
 * `user_updated` is not stored and not replayed. Everything else that names a user gives the name of
 * today: where that differs from what the application was given before, an update was missed, and is
 * made up for. For a moment after an update others may arrive late with the older name: they are ignored.
 * Bounded: above `MAX_KNOWN` users the ones that were met first are forgotten.
 */
import type { EventFields } from '../protocol/events.ts'
import type { Clock } from './clock.ts'

const MAX_KNOWN = 5_000
const SETTLE_MS = 10_000

interface Known {
  readonly name: string
  /** Undefined where no picture is known. */
  readonly picture: string | undefined
  /** When an update of the user has arrived, by the clock. */
  readonly updatedAt: number
}

export class Names {
  readonly #clock: Clock
  readonly #emit: (update: EventFields<'user_updated'>) => void
  readonly #known = new Map<string, Known>()

  /** `emit` is called for an update that was missed. */
  constructor(clock: Clock, emit: (update: EventFields<'user_updated'>) => void) {
    this.#clock = clock
    this.#emit = emit
  }

  /** An update has arrived. */
  update({ userId, name, picture }: EventFields<'user_updated'>): void {
    this.#set(userId, { name, picture, updatedAt: this.#clock.now() })
  }

  /** Compares all users that the fields of an event name, at any depth. */
  compare(value: unknown): void {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
    const { userId, senderId, name, userName, senderName, picture } = value as Readonly<
      Record<string, unknown>
    >
    const id = senderId ?? userId
    const called = senderId === undefined ? (userName ?? name) : senderName
    if (typeof id === 'string' && typeof called === 'string') {
      this.#see(id, called, typeof picture === 'string' ? picture : undefined)
    }
    for (const part of Object.values(value)) this.compare(part)
  }

  /** The user of the next token is another one. */
  clear(): void {
    this.#known.clear()
  }

  #see(userId: string, name: string, picture: string | undefined): void {
    const known = this.#known.get(userId)
    const { updatedAt = Number.NEGATIVE_INFINITY } = known ?? {}
    const now = this.#clock.now()
    if (now - updatedAt < SETTLE_MS) return
    const isOld = known && (known.name !== name || (picture ?? known.picture) !== (known.picture ?? picture))
    this.#set(userId, { name, picture: picture ?? known?.picture, updatedAt })
    if (isOld) this.#emit({ userId, name, picture: picture ?? known.picture, at: Date.now() })
  }

  #set(userId: string, known: Known): void {
    this.#known.set(userId, known)
    if (this.#known.size <= MAX_KNOWN) return
    for (const first of this.#known.keys()) {
      this.#known.delete(first)
      break
    }
  }
}
