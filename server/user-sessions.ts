/**
 * User sessions: which connections each user has, at most `max` of them (LIM-2).
 *
 * The newest wins: a device that comes back after its network died must not be refused because of
 * its own dead connections. Over the limit the connection that has been silent for longest goes.
 * Bounded: by the connections there are, each in one list.
 */
export interface UserSession {
  readonly userId: string
  /** When the client was last heard of; a message or a pong. */
  readonly heardAtMs: number
}

export class UserSessions<S extends UserSession> {
  readonly #max: number
  readonly #byUser = new Map<string, S[]>()

  constructor(max: number) {
    this.#max = max
  }

  /** Users with one session at least. */
  get users(): number {
    return this.#byUser.size
  }

  /** Adds a session; returns the one that has to be closed for it, which counts no more. */
  add(session: S): S | undefined {
    const own = this.#byUser.get(session.userId)
    if (!own) {
      this.#byUser.set(session.userId, [session])
      return undefined
    }
    const silent = own.length < this.#max ? undefined : own.reduce(longerSilent)
    if (silent) own.splice(own.indexOf(silent), 1)
    own.push(session)
    return silent
  }

  /** The session has ended; one that was closed for another is not counted any more. */
  remove(session: S): void {
    const own = this.#byUser.get(session.userId)
    const at = own?.indexOf(session) ?? -1
    if (!own || at < 0) return
    own.splice(at, 1)
    if (own.length === 0) this.#byUser.delete(session.userId)
  }
}

function longerSilent<S extends UserSession>(one: S, other: S): S {
  return other.heardAtMs < one.heardAtMs ? other : one
}
