/**
 * Auth error: why a token was refused, and whose fault that is.
 */
import { ChatError } from '../protocol/errors.ts'

/**
 * `client`: the token is bad; counted against its address. `time`: correctly signed, but expired or
 * not valid yet; not counted (AUT-2). `server`: it cannot be checked at present.
 */
export type Blame = 'client' | 'time' | 'server'

/** A token was refused. The message is for the client and holds nothing of the inside. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly blame: Blame
  /** When to try again, milliseconds from now, where it is the server's fault. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, blame: Blame = 'client', retryAfterMs?: number) {
    super(message)
    this.blame = blame
    this.retryAfterMs = retryAfterMs
  }

  /** The answer to a request with this token: `unauthenticated`, or `unavailable` with a time. */
  toChatError(): ChatError {
    if (this.blame !== 'server') return new ChatError('unauthenticated', this.message)
    return new ChatError('unavailable', this.message, { retryAfterMs: this.retryAfterMs })
  }
}
