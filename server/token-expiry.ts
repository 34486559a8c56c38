/**
 * Token expiry: when the client of a session is warned that its token expires, and when the session
 * ends. Times are wall-clock milliseconds, because tokens contain such times (AUT-4, TIM-1).
 */
import type { Verified } from './claims.ts'

export class TokenExpiry {
  /** When the token expires; sent with the warning. */
  expiresAtMs: number
  #warnAtMs: number
  #endsAtMs: number
  #isWarned = false

  constructor({ expiresAtMs, warnAtMs, endsAtMs }: Verified) {
    this.expiresAtMs = expiresAtMs
    this.#warnAtMs = warnAtMs
    this.#endsAtMs = endsAtMs
  }

  /** The token that is valid from now on. Sending the same one again causes no second warning. */
  replace({ expiresAtMs, warnAtMs, endsAtMs }: Verified): void {
    if (this.#isWarned && expiresAtMs === this.expiresAtMs) return
    this.expiresAtMs = expiresAtMs
    this.#warnAtMs = warnAtMs
    this.#endsAtMs = endsAtMs
    this.#isWarned = false
  }

  /** What is due at this time; `warning` is returned once per token. */
  due(nowMs: number): 'warning' | 'end' | null {
    if (nowMs < (this.#isWarned ? this.#endsAtMs : this.#warnAtMs)) return null
    if (this.#isWarned) return 'end'
    this.#isWarned = true
    return 'warning'
  }
}
