/**
 * Token expiry: when the client of a session is warned that its token expires, and when the session
 * ends. Times are wall-clock milliseconds, because tokens contain such times (AUT-4, TIM-1).
 */
import type { Verified } from './claims.ts'

export class TokenExpiry {
  #token: Verified
  #isWarned = false

  constructor(token: Verified) {
    this.#token = token
  }

  /** When the token expires; sent with the warning. */
  get expiresAtMs(): number {
    return this.#token.expiresAtMs
  }

  /** The token that is valid from now on. Sending the same one again causes no second warning. */
  replace(token: Verified): void {
    if (this.#isWarned && token.expiresAtMs === this.#token.expiresAtMs) return
    this.#token = token
    this.#isWarned = false
  }

  /** What is due at this time; `warning` is returned once per token. */
  due(nowMs: number): 'warning' | 'end' | null {
    if (nowMs < (this.#isWarned ? this.#token.endsAtMs : this.#token.warnAtMs)) return null
    if (this.#isWarned) return 'end'
    this.#isWarned = true
    return 'warning'
  }
}
