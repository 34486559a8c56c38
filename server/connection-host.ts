/**
 * Connection host: the contract between the front end and a connection of any kind.
 *
 * The front end counts, limits and sweeps connections and knows neither their sockets nor their
 * frames. A connection passes requests to the request path itself, so that no frame goes through
 * the front end.
 */
import type { Gateway } from '../engine/hub/gateway.ts'
import type { CloseReason } from '../protocol/close-codes.ts'
import type { Fault } from './auth-error.ts'
import type { Verified } from './claims.ts'
import type { Newcomer } from './newcomers.ts'
import type { RefusalKind } from './refusal-log.ts'
import type { RequestHandler } from './request-path.ts'
import type { WriterHost } from './socket-writer.ts'
import type { UserSession } from './user-sessions.ts'
import type { Wire, WithoutTopic } from './wire.ts'

/** Both clocks at one moment: wall-clock time for tokens, the monotonic clock for durations (TIM-1). */
export interface Moment {
  readonly now: number
  readonly steadyNow: number
}

/** Receives the result of a verification. */
export interface TokenHolder {
  /** The token is valid. */
  verified(token: Verified): void
  /** The token is missing, invalid or late, or cannot be checked now; `why` is sent to the client. */
  refused(why: string, fault: Fault): void
  end(reason: CloseReason, text?: string): void
}

/** A connection, as the front end uses it. */
export interface HostedConnection extends TokenHolder, Newcomer, UserSession, WithoutTopic {
  readonly wire: Wire
  /** The engine's number of the session; -1 before it is open. */
  readonly session: number
  /** When the socket was opened, seconds of the monotonic clock. */
  readonly openedAtSeconds: number
  /** Requests with a ref that have no answer yet. */
  readonly unanswered: number
  readonly unsentBytes: number
  /** Sends an event that the front end created. */
  sendEvent(frame: Uint8Array): void
  /** Closes the connection if its reader lags too far. */
  checkBacklog(): void
  /** Handles deadlines, expiries and backlogs; called about once a second. */
  sweep(moment: Moment): void
  /** What it can make the server hold before it is authenticated. */
  readonly newcomerBytes: number
  /** How long the token has been under verification; 0 in other states. */
  verifyingMs(steadyNow: number): number
}

/** What all connections share. */
export interface ConnectionHost extends WriterHost {
  readonly gateway: Pick<Gateway, 'open' | 'renew' | 'closed'>
  readonly path: RequestHandler
  /** Events per minute and user. */
  readonly rateLimit: number
  /** For durations, milliseconds of a monotonic clock (TIM-1). */
  steadyNow(): number
  /** Milliseconds of a monotonic clock, as of the last sweep. */
  readonly sweptAtMs: number
  /** Verifies a token, then calls `verified`, `refused` or `end`. */
  verify(holder: TokenHolder, token: string): void
  /** An authentication attempt from this address has failed. */
  attemptFailed(address: string): void
  /** Records a refusal in the log. */
  noteRefusal(connection: HostedConnection, kind: RefusalKind, why: string): void
  /** Registers a session of the user. Returns 0, or the milliseconds to wait if the user has connected too often. */
  admit(connection: HostedConnection): number
  /** Charges `reads` for costs that are known only afterwards: replayed events, a long answer (INP-2). */
  chargeReads(connection: HostedConnection, tokens: number): void
  /** The server is closing the connection. */
  closing(connection: HostedConnection, reason: CloseReason, text: string): void
  /** The connection is closed. */
  closed(connection: HostedConnection): void
}
