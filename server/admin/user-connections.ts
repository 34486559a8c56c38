/**
 * User connections: the open connections of one user, as an operator sees and ends them.
 *
 * A connection is identified by the engine's number of its session, which is not used again while the
 * server runs.
 */
import type { HostedConnection } from '../connection-host.ts'
import type { ServerLogger } from '../logger.ts'

/** One connection. Times are milliseconds since 1970. */
export interface ConnectionFigures {
  readonly id: number
  /** The subprotocol; `socket.io` for its clients. */
  readonly protocol: string
  readonly address: string
  readonly openedAt: number
  /** When the client last sent something, in steps of a second. */
  readonly lastReceivedAt: number
  /** Requests without an answer. */
  readonly unanswered: number
  readonly unsentBytes: number
}

export interface UserConnectionsOptions {
  readonly sockets: { connectionsOf(userId: string): readonly HostedConnection[] }
  readonly logger: ServerLogger
  readonly now: () => number
  readonly steadyNow: () => number
  /** The number of this front; the ids of different fronts differ by it. */
  readonly front: number
}

/** Sessions of one front have numbers below. */
const IDS_PER_FRONT = 2 ** 32
const WHY = 'an operator ended the connection'

export class UserConnections {
  readonly #options: UserConnectionsOptions

  constructor(options: UserConnectionsOptions) {
    this.#options = options
  }

  /** The connections of the user, the oldest first. At most `MAX_SESSIONS_PER_USER`. */
  list(userId: string): readonly ConnectionFigures[] {
    const { sockets, now, steadyNow } = this.#options
    const startedAtMs = now() - steadyNow()
    return sockets.connectionsOf(userId).map((connection) => ({
      id: this.#idOf(connection),
      protocol: connection.wire.subprotocol,
      address: connection.address,
      openedAt: Math.round(startedAtMs + connection.openedAtSeconds * 1_000),
      lastReceivedAt: Math.round(startedAtMs + connection.lastReceivedAtMs),
      unanswered: connection.unanswered,
      unsentBytes: connection.unsentBytes,
    }))
  }

  /**
   * Closes one connection of the user with 4403, or all of them, and logs it. Returns their number.
   */
  end(userId: string, id: number | null, by: string): number {
    const { sockets, logger } = this.#options
    const ended = sockets
      .connectionsOf(userId)
      .filter((connection) => id === null || this.#idOf(connection) === id)
    for (const connection of [...ended]) connection.end('revoked', WHY)
    if (ended.length > 0) logger.info({ by, userId, connections: ended.length }, WHY)
    return ended.length
  }

  #idOf({ session }: HostedConnection): number {
    return this.#options.front * IDS_PER_FRONT + session
  }
}
