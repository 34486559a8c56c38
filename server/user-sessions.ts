/**
 * User sessions: the connections of each user, at most `max` (LIM-2).
 *
 * The newest connection wins: a device that reconnects after a network failure must not be refused because
 * of its own dead connections. Above the limit the connection that has been silent for longest is closed.
 * Bounded by the number of connections, each in one list.
 */
export interface UserSession {
  readonly userId: string
  /** When the client last sent a message or a pong. */
  readonly lastReceivedAtMs: number
}

export class UserSessions<S extends UserSession> {
  readonly #max: number
  readonly #byUser = new Map<string, S[]>()

  constructor(max: number) {
    this.#max = max
  }

  /** Users with at least one session. */
  get users(): number {
    return this.#byUser.size
  }

  /** The sessions of one user. */
  of(userId: string): readonly S[] {
    return this.#byUser.get(userId) ?? []
  }

  /** Adds a session that was allowed before, whatever the limit. */
  addAllowed(session: S): void {
    const own = this.#byUser.get(session.userId)
    if (own) own.push(session)
    else this.#byUser.set(session.userId, [session])
  }

  /** Adds a session; returns the one that must be closed for it, which is no longer counted. */
  add(session: S): S | undefined {
    const own = this.of(session.userId)
    const silent = own.length < this.#max ? undefined : own.reduce(silentForLonger)
    if (silent) this.remove(silent)
    this.addAllowed(session)
    return silent
  }

  /** The session has ended. A session that `add` returned is already removed. */
  remove(session: S): void {
    const own = this.#byUser.get(session.userId)
    const at = own?.indexOf(session) ?? -1
    if (!own || at < 0) return
    own.splice(at, 1)
    if (own.length === 0) this.#byUser.delete(session.userId)
  }
}

function silentForLonger<S extends UserSession>(one: S, other: S): S {
  return other.lastReceivedAtMs < one.lastReceivedAtMs ? other : one
}
