/**
 * Token expiry: when the client of a session is warned that its token expires, and when the session
 * ends. Times are wall-clock milliseconds, because tokens contain such times (AUT-4, TIM-1).
 */
import type { Verified } from './claims.ts'

export class TokenExpiry {
  /** When the token expires; sent with the warning. */
  expiresAtMs: number
  /** Small integers need no memory of their own. */
  #warnBeforeMs: number
  #endsAfterMs: number
  #isWarned = false

  constructor({ expiresAtMs, warnAtMs, endsAtMs }: Verified) {
    this.expiresAtMs = expiresAtMs
    this.#warnBeforeMs = expiresAtMs - warnAtMs
    this.#endsAfterMs = endsAtMs - expiresAtMs
  }

  /** The token that is valid from now on. Sending the same one again causes no second warning. */
  replace({ expiresAtMs, warnAtMs, endsAtMs }: Verified): void {
    if (this.#isWarned && expiresAtMs === this.expiresAtMs) return
    this.expiresAtMs = expiresAtMs
    this.#warnBeforeMs = expiresAtMs - warnAtMs
    this.#endsAfterMs = endsAtMs - expiresAtMs
    this.#isWarned = false
  }

  /** What is due at this time; `warning` is returned once per token. */
  due(nowMs: number): 'warning' | 'end' | null {
    const dueAtMs = this.expiresAtMs + (this.#isWarned ? this.#endsAfterMs : -this.#warnBeforeMs)
    if (nowMs < dueAtMs) return null
    if (this.#isWarned) return 'end'
    this.#isWarned = true
    return 'warning'
  }
}
