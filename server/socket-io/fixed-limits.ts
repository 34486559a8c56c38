/**
 * Fixed limits: how large the messages of a WebSocket may be if the transport cannot raise its limit when the
 * client authenticates (INP-2).
 *
 * An incomplete message is held in memory before anybody knows who sends it. So the full limit is for a
 * client that is authenticated already: by the token of its handshake, or over long polling before the
 * upgrade. The others count as newcomers with the largest limit that there is room for: the large one for a
 * client that connects alone, the medium one, enough for a photo, or the small one, enough for every message.
 * Nothing is waited for: uWebSockets.js accepts a handshake well only in its handler.
 * Bounded: `Newcomers`, `MAX_FULL_PER_USER` full ones that have not sent CONNECT.
 */
import {
  fixedNewcomerBytes,
  MAX_NEWCOMER_BYTES,
  type Newcomer,
  type NewcomerRefusal,
  type Newcomers,
} from '../newcomers.ts'
import type { FixedLimit } from '../transport/transport.ts'

/** A handshake whose limit is to be decided. */
export interface LimitedHandshake {
  /** Empty if it has none. */
  readonly token: string
  readonly address: string
  /** The session that polls and is to be upgraded. */
  readonly session: { readonly isTrusted: boolean } | null
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
  /** The user of a token; null if it is not valid, or if that cannot be known at once. Must not throw. */
  readonly userOf: (token: string) => string | null
}

export class FixedLimits {
  readonly #options: FixedLimitsOptions
  readonly #newcomers: Newcomers
  readonly #fullOf = new Map<string, number>()

  constructor(options: FixedLimitsOptions) {
    this.#options = options
    this.#newcomers = options.newcomers
  }

  /** Decides the limit of a handshake, and counts it until `remove`. Or returns why there is no room for it. */
  decide({ token, address, session }: LimitedHandshake): LimitClaim | NewcomerRefusal {
    if (session?.isTrusted) return new LimitClaim('full', address)
    const user = token === '' ? null : this.#options.userOf(token)
    if (user !== null && this.#mayHaveFull(user)) return this.#counted(new LimitClaim('full', address, user))
    for (const limit of ['large', 'medium'] as const) {
      if (this.#newcomers.makeLargeRoom(this.#costOf(limit))) {
        return this.#counted(new LimitClaim(limit, address))
      }
    }
    const refusal = this.#newcomers.makeRoom(address, this.#options.bytes.small)
    return refusal ?? this.#counted(new LimitClaim('small', address))
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
}
