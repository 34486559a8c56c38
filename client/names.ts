/**
 * Names: the newest name and picture of each user that the application received (IDN-2).
 *
 * `user_updated` is neither stored nor replayed. All other events contain the current name of a user: if
 * it differs from the one received before, an update was missed, and the client emits it. For a short
 * time after an update, events with the older name may still arrive and are ignored.
 * Bounded: above `MAX_KNOWN` users the oldest entries are removed.
 */
import type { EventFields } from '../protocol/events.ts'
import type { Clock } from './clock.ts'

const MAX_KNOWN = 5_000
const SETTLE_MS = 10_000

interface Known {
  readonly name: string
  /** Undefined if no picture is known. */
  readonly picture: string | undefined
  /** When the last update of the user arrived. */
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

  /** Compares all users in the fields of an event, at any depth. */
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

  /** The next token is that of another user. */
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
