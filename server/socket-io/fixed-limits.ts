/**
 * Fixed limits: how large the messages of a WebSocket may be if the transport cannot raise its limit when the
 * client authenticates (INP-2).
 *
 * An incomplete message is held in memory before anybody knows who sends it. So the full limit is for a
 * client that is authenticated already: by the token of its handshake, or over long polling before the
 * upgrade, which waits a moment for it. Of the others, a few at a time get a large limit, enough for a
 * photo; the rest gets the small one, enough for every message.
 * Bounded: `MAX_LARGE` large ones, `MAX_FULL_PER_USER` full ones that have not sent CONNECT,
 * `MAX_VERIFYING` tokens at a time.
 */
import type { FixedLimit } from '../transport/transport.ts'

/** The limit of one WebSocket, and who it is counted for until the client is authenticated. */
export interface LimitClaim {
  readonly limit: FixedLimit
  /** Empty if it is not counted. */
  readonly countedFor: string
}

/** A handshake whose limit is to be decided. */
export interface LimitedHandshake {
  /** Empty if it has none. */
  readonly token: string
  readonly address: string
  /** The session that polls and is to be upgraded. */
  readonly session: UpgradedSession | null
}

interface UpgradedSession {
  readonly isTrusted: boolean
  /** Resolves when the client is authenticated or the session is closed, at the latest after this time. */
  settled(withinMs: number): Promise<void>
}

/** The large limit: with `MAX_LARGE` it is a part of the memory that newcomers can use. */
export const LARGE_BYTES = 2 * 1_048_576
const MAX_LARGE = 8
const MAX_LARGE_PER_ADDRESS = 4
const MAX_FULL_PER_USER = 4
/** Handshakes that wait are not counted as newcomers yet. */
const MAX_VERIFYING = 64
/** Clients send CONNECT when they begin the upgrade, which needs a connection first and so arrives later. */
const AUTHENTICATED_WITHIN_MS = 100
const small: LimitClaim = { limit: 'small', countedFor: '' }
const full: LimitClaim = { limit: 'full', countedFor: '' }

export class FixedLimits {
  readonly #userOf: (token: string) => Promise<string | null>
  readonly #counts = new Map<string, number>()
  #large = 0
  #verifying = 0

  /** `userOf` verifies a token: it resolves with the user, or with null if the token is not valid. */
  constructor(userOf: (token: string) => Promise<string | null>) {
    this.#userOf = userOf
  }

  /** Decides the limit of a handshake. */
  async decide({ token, address, session }: LimitedHandshake): Promise<LimitClaim> {
    if (session?.isTrusted) return full
    const user = await this.#verify(token)
    if (user !== null && this.#count(`user ${user}`) < MAX_FULL_PER_USER) {
      return { limit: 'full', countedFor: `user ${user}` }
    }
    await session?.settled(AUTHENTICATED_WITHIN_MS)
    if (session?.isTrusted) return full
    const countedFor = `address ${address}`
    const isFree = this.#large < MAX_LARGE && this.#count(countedFor) < MAX_LARGE_PER_ADDRESS
    return isFree ? { limit: 'large', countedFor } : small
  }

  /** The socket of the claim is open. */
  add({ limit, countedFor }: LimitClaim): void {
    if (countedFor === '') return
    this.#counts.set(countedFor, this.#count(countedFor) + 1)
    if (limit === 'large') this.#large += 1
  }

  /** The client is authenticated, or the socket is closed. */
  remove({ limit, countedFor }: LimitClaim): void {
    if (countedFor === '') return
    const count = this.#count(countedFor) - 1
    if (count > 0) this.#counts.set(countedFor, count)
    else this.#counts.delete(countedFor)
    if (limit === 'large') this.#large -= 1
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  async #verify(token: string): Promise<string | null> {
    if (token === '' || this.#verifying >= MAX_VERIFYING) return null
    this.#verifying += 1
    try {
      return await this.#userOf(token)
    } finally {
      this.#verifying -= 1
    }
  }
}
