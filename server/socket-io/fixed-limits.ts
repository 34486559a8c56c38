/**
 * Fixed limits: how large the messages of a WebSocket may be if the transport cannot raise its limit when the
 * client authenticates (INP-2).
 *
 * An incomplete message is held in memory before anybody knows who sends it. So the full limit is for a
 * client that is authenticated already: by the token of its handshake, or over long polling before the
 * upgrade, which waits a moment for it. The others count as newcomers with the limit that they get: the
 * large one for a client that connects alone, the medium one, enough for a photo, for a few at a time. A
 * handshake waits a moment for it; then it gets the small one, enough for every message.
 * Bounded: `Newcomers`, `MAX_FULL_PER_USER` full ones that have not sent CONNECT, `MAX_VERIFYING` tokens and
 * `MAX_WAITING` handshakes at a time.
 */
import { fixedNewcomerBytes, MAX_NEWCOMER_BYTES, type Newcomer, type Newcomers } from '../newcomers.ts'
import type { FixedLimit } from '../transport/transport.ts'

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

/** The limit of one WebSocket; it counts as a newcomer until the client is authenticated. */
export class LimitClaim implements Newcomer {
  readonly limit: FixedLimit
  readonly address: string
  /** The user of a full limit; empty for a trusted session and for newcomers. */
  readonly userId: string
  /** Closes the socket to make room for another one. */
  evict: () => void = () => {}

  constructor(limit: FixedLimit, address: string, userId = '') {
    this.limit = limit
    this.address = address
    this.userId = userId
  }
}

const MIB = 1_048_576
const BYTES_BESIDE_FILE = 65_536
const MAX_FULL_PER_USER = 4
/** Handshakes that wait are not counted as newcomers yet. */
const MAX_VERIFYING = 64
const MAX_WAITING = 256
/** Clients send CONNECT when they begin the upgrade, which needs a connection first and so arrives later. */
const AUTHENTICATED_WITHIN_MS = 100
/** Others that connect at the same moment are authenticated within a few round trips. */
const ENLARGED_WITHIN_MS = 500
const ROOM_WITHIN_MS = 5_000
const ROOM_CHECK_MS = 25

/** The largest message by limit. */
export type FixedBytes = Readonly<Record<Exclude<FixedLimit, 'full'>, number>>

/** The limits of a server with these largest messages, without and with a file. */
export function fixedBytes(maxMessageBytes: number, maxPayloadBytes: number): FixedBytes {
  const small = fixedNewcomerBytes(maxMessageBytes)
  const atLeastSmall = (bytes: number) => Math.min(maxPayloadBytes, Math.max(small, bytes))
  return { large: atLeastSmall(6 * MIB + BYTES_BESIDE_FILE), medium: atLeastSmall(2 * MIB), small }
}

export interface FixedLimitsOptions {
  readonly newcomers: Newcomers
  readonly bytes: FixedBytes
  /** Verifies a token: resolves with the user, or with null if the token is not valid. Must not reject. */
  readonly userOf: (token: string) => Promise<string | null>
  /** The same without waiting, if the kind of tokens permits it. Must not throw. */
  readonly userAtOnce?: ((token: string) => string | null) | undefined
  /** Resolves after these milliseconds. */
  readonly wait: (ms: number) => Promise<unknown>
}

export class FixedLimits {
  readonly #options: FixedLimitsOptions
  readonly #newcomers: Newcomers
  readonly #fullOf = new Map<string, number>()
  #verifying = 0
  #waiting = 0

  constructor(options: FixedLimitsOptions) {
    this.#options = options
    this.#newcomers = options.newcomers
  }

  /** Decides the limit of a handshake, and counts it until `remove`. Null if there is no room for the socket. */
  async decide({ token, address, session }: LimitedHandshake): Promise<LimitClaim | null> {
    const trusted = new LimitClaim('full', address)
    if (session?.isTrusted) return trusted
    const user = await this.#verify(token)
    if (user !== null && this.#mayHaveFull(user)) return this.#full(address, user)
    await session?.settled(AUTHENTICATED_WITHIN_MS)
    if (session?.isTrusted) return trusted
    return this.#room(address)
  }

  /** The same, if nothing has to be waited for; else null. */
  decideAtOnce({ token, address, session }: LimitedHandshake): LimitClaim | null {
    if (session?.isTrusted) return new LimitClaim('full', address)
    const { userAtOnce } = this.#options
    if (token !== '' && !userAtOnce) return null
    const user = token === '' ? null : (userAtOnce?.(token) ?? null)
    if (user !== null && this.#mayHaveFull(user)) return this.#full(address, user)
    return session ? null : this.#largeRoom(address)
  }

  /** The claim of an open socket whose user has to authenticate again; null if the user has too many. */
  again(userId: string): LimitClaim | null {
    return this.#mayHaveFull(userId) ? this.#counted(new LimitClaim('full', '', userId)) : null
  }

  /** The client is authenticated, or the socket is closed or was never opened. */
  remove(claim: LimitClaim): void {
    const { userId } = claim
    this.#newcomers.remove(claim)
    if (userId === '') return
    const count = (this.#fullOf.get(userId) ?? 0) - 1
    if (count > 0) this.#fullOf.set(userId, count)
    else this.#fullOf.delete(userId)
  }

  /** Null if there is no room for the socket. */
  #full(address: string, userId: string): LimitClaim | null {
    if (this.#newcomers.makeRoom(address, MAX_NEWCOMER_BYTES)) return null
    return this.#counted(new LimitClaim('full', address, userId))
  }

  /** Whether another socket of the user may have the full limit before it is authenticated. */
  #mayHaveFull(userId: string): boolean {
    return (this.#fullOf.get(userId) ?? 0) < MAX_FULL_PER_USER
  }

  /** The session of each socket counts with `MAX_NEWCOMER_BYTES`. */
  #costOf(limit: keyof FixedBytes): number {
    return this.#options.bytes[limit] - MAX_NEWCOMER_BYTES
  }

  #counted(claim: LimitClaim): LimitClaim {
    const { limit, userId } = claim
    if (userId !== '') this.#fullOf.set(userId, (this.#fullOf.get(userId) ?? 0) + 1)
    else if (limit !== 'full') this.#newcomers.add(claim, this.#costOf(limit))
    return claim
  }

  /** A limit for large messages, if there is room for it now. */
  #largeRoom(address: string): LimitClaim | null {
    for (const limit of ['large', 'medium'] as const) {
      if (this.#newcomers.makeLargeRoom(this.#costOf(limit))) {
        return this.#counted(new LimitClaim(limit, address))
      }
    }
    return null
  }

  /** The largest limit that there is room for within a moment; null if there is none. */
  async #room(address: string): Promise<LimitClaim | null> {
    const waits = this.#waiting < MAX_WAITING
    this.#waiting += 1
    try {
      for (let ms = 0; ; ms += ROOM_CHECK_MS) {
        const large = this.#largeRoom(address)
        if (large) return large
        const isLate = !waits || ms >= ENLARGED_WITHIN_MS
        if (isLate && !this.#newcomers.makeRoom(address, this.#options.bytes.small)) {
          return this.#counted(new LimitClaim('small', address))
        }
        if (!waits || ms >= ROOM_WITHIN_MS) return null
        await this.#options.wait(ROOM_CHECK_MS)
      }
    } finally {
      this.#waiting -= 1
    }
  }

  async #verify(token: string): Promise<string | null> {
    if (token === '' || this.#verifying >= MAX_VERIFYING) return null
    this.#verifying += 1
    try {
      return await this.#options.userOf(token)
    } finally {
      this.#verifying -= 1
    }
  }
}
