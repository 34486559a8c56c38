/**
 * Profiles: the names and pictures of tokens on their way to the shards, and names that hooks look up.
 */
import type { Mail } from '../actors/mail.ts'
import { shardOf } from '../base/partition.ts'
import { ToShard } from '../shards/hub-records.ts'
import { pack } from '../threads/packing.ts'
import type { HubSessions } from './hub-sessions.ts'
import type { ShardLink } from './shard-link.ts'

/** Users whose claims over HTTP are remembered; above it all claims are reported again. */
const MAX_CLAIMS = 10_000

export interface TokenClaims {
  /** Empty if the token does not contain it. */
  readonly name: string
  readonly picture: string
}

export class Profiles {
  readonly #shards: readonly ShardLink[]
  readonly #sessions: HubSessions
  /** The last claims of each user over HTTP, so that each claim is reported once. */
  readonly #claims = new Map<string, string>()
  /** Pending look-ups of names, by number. Bounded by the gate: one at a time for each session. */
  readonly #lookups = new Map<number, (name: string) => void>()
  #lastLookup = 0

  constructor(shards: readonly ShardLink[], sessions: HubSessions) {
    this.#shards = shards
    this.#sessions = sessions
  }

  /** The user's actor applies the claims of a token; shards use the name if the user is connected. */
  apply(userId: string, { name, picture }: TokenClaims): void {
    if (name) {
      this.#sessions.rename(userId, name)
      const body = pack({ userId, name })
      for (const shard of this.#shards) shard.push(ToShard.renamed, 0, body)
    }
    const mail: Mail = { to: 'user', id: userId, mail: { type: 'profile', name, picture } }
    this.#home(userId).push(ToShard.mail, 0, pack(mail))
  }

  /** The same for a request over HTTP, unless its claims are those of the request before. */
  applyOnce(userId: string, { name, picture }: TokenClaims): void {
    const claims = JSON.stringify([name, picture])
    if ((!name && !picture) || this.#claims.get(userId) === claims) return
    if (this.#claims.size >= MAX_CLAIMS) this.#claims.clear()
    this.#claims.set(userId, claims)
    this.apply(userId, { name, picture })
  }

  /** The name of a user whose tokens have none; the user id if no name is known. IDN-2 */
  async lookUp(userId: string): Promise<string> {
    const number = ++this.#lastLookup
    try {
      const name = await new Promise<string>((resolve) => {
        this.#lookups.set(number, resolve)
        this.#home(userId).push(ToShard.nameOf, number, Buffer.from(userId))
      })
      for (const session of this.#sessions.ofUser(userId)) session.name ||= name
      return name
    } finally {
      this.#lookups.delete(number)
    }
  }

  /** A shard has answered a look-up. */
  lookedUp(number: number, name: string): void {
    this.#lookups.get(number)?.(name)
  }

  #home(userId: string): ShardLink {
    return this.#shards[shardOf(userId, this.#shards.length)] as ShardLink
  }
}
