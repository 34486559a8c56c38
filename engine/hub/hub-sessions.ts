/**
 * Hub sessions: the sessions of this process, by number and by user.
 */
import type { Front, SessionPort } from './gateway.ts'
import type { ShardLink } from './shard-link.ts'

/** The sessions that are subscribed to a group. */
export interface Subscribers {
  readonly topic: string
  readonly sessions: Set<HubSession>
  /** The number of them in each front; null if there is none. */
  fronts: Map<Front, number> | null
}

export interface HubSession {
  readonly number: number
  readonly port: SessionPort
  /** Frames for its user that wait until `connected` is sent; null from then on. */
  early: Uint8Array[] | null
  readonly userId: string
  /** Empty until a token or a look-up for the hooks supplies it. */
  name: string
  readonly homeShard: number
  /** The subscriber sets of groups that contain it, each once; null before the first one. Most are in few: an array is small. */
  subscribed: Subscribers[] | null
  /** The last announcement sent to it. */
  announced: number
  /** Of a session that only makes requests: its identity, and the shards that know it. Null if all know it. */
  readonly asks: { readonly identity: Uint8Array; readonly shards: Set<ShardLink> } | null
}

const none: readonly HubSession[] = []

export class HubSessions {
  readonly #byNumber = new Map<number, HubSession>()
  /** For leaving a group with all devices at once. Most users have one session: an array of it is small. */
  readonly #byUser = new Map<string, readonly HubSession[]>()
  /** The users that each connected user has blocked. // PRV-1 */
  readonly #blocked = new Map<string, ReadonlySet<string>>()
  #lastNumber = 0

  get size(): number {
    return this.#byNumber.size
  }

  get(number: number): HubSession | undefined {
    return this.#byNumber.get(number)
  }

  all(): Iterable<HubSession> {
    return this.#byNumber.values()
  }

  ofUser(userId: string): readonly HubSession[] {
    return this.#byUser.get(userId) ?? none
  }

  /** A number that no session has. 32 bits overflow after 4,294,967,296 connections. */
  nextNumber(): number {
    do this.#lastNumber = (this.#lastNumber + 1) >>> 0
    while (this.#lastNumber === 0 || this.#byNumber.has(this.#lastNumber))
    return this.#lastNumber
  }

  add(session: HubSession): void {
    this.#byNumber.set(session.number, session)
    const others = this.#byUser.get(session.userId)
    // A literal has room for one; a spread would have room for 17.
    this.#byUser.set(session.userId, others ? [...others, session] : [session])
  }

  remove(session: HubSession): void {
    const { number, userId } = session
    this.#byNumber.delete(number)
    const others = this.ofUser(userId).filter((other) => other !== session)
    if (others.length > 0) this.#byUser.set(userId, others)
    else {
      this.#byUser.delete(userId)
      this.#blocked.delete(userId)
    }
  }

  /** The newest token of a user applies to all their sessions (IDN-2). */
  rename(userId: string, name: string): void {
    for (const session of this.ofUser(userId)) session.name = name
  }

  setBlocked(userId: string, blocked: readonly string[]): void {
    if (this.#byUser.has(userId)) this.#blocked.set(userId, new Set(blocked))
  }

  hasBlocked(userId: string, otherId: string): boolean {
    return this.#blocked.get(userId)?.has(otherId) ?? false
  }
}
