/**
 * Auth error: why a token was refused, and which side caused it.
 */
import { ChatError } from '../protocol/errors.ts'

/**
 * `client`: the token is invalid; counted against its address. `time`: correctly signed, but expired or
 * not valid yet; not counted (AUT-2). `server`: the token cannot be checked now.
 */
export type Fault = 'client' | 'time' | 'server'

/** A token was refused. The message is sent to the client and contains no internal detail. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly fault: Fault
  /** Milliseconds until a retry can succeed, if the server caused the refusal. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, fault: Fault = 'client', retryAfterMs?: number) {
    super(message)
    this.fault = fault
    this.retryAfterMs = retryAfterMs
  }

  /** The answer to a request with this token: `unauthenticated`, or `unavailable` with a time. */
  toChatError(): ChatError {
    if (this.fault !== 'server') return new ChatError('unauthenticated', this.message)
    return new ChatError('unavailable', this.message, { retryAfterMs: this.retryAfterMs })
  }
}
