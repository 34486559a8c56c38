/**
 * Loaded actors: the group and user actors of a shard that are in memory.
 *
 * An actor is loaded by its first mail and evicted when it is idle and storage contains its state. Bounded
 * by `maxActors` of each kind: above it idle actors are evicted early, then mail for others is refused.
 */
import type { ActorContext } from '../actors/actor-context.ts'
import { GroupActor } from '../actors/group/group-actor.ts'
import { UserActor } from '../actors/user/user-actor.ts'
import { shardOf } from '../base/partition.ts'
import { overloaded } from '../base/refusals.ts'
import type { Alarms } from './alarms.ts'
import { ReleasedGroups } from './released-groups.ts'

/** Default of `maxActors`. */
const MAX_ACTORS = 200_000
/** Idle time after which actors are evicted when there are too many. */
const CROWDED_IDLE_MS = 1_000

export interface LoadedActorsOptions {
  readonly index: number
  /** Number of shards. */
  readonly shards: number
  /** Limit of loaded actors of each kind. Above it, idle ones are evicted early, then new ones are refused. */
  readonly maxActors?: number
}

export class LoadedActors {
  readonly #options: LoadedActorsOptions
  readonly #context: ActorContext
  readonly #alarms: Alarms
  /** While storage fails, memberships of a user may be uncommitted: users stay. */
  readonly #storageFails: () => boolean
  readonly #groups = new Map<string, GroupActor>()
  readonly #users = new Map<string, UserActor>()
  readonly groups: ReadonlyMap<string, GroupActor> = this.#groups
  readonly users: ReadonlyMap<string, UserActor> = this.#users
  readonly #released = new ReleasedGroups()
  readonly #groupFailed = (id: string): void => void this.#groups.delete(id)
  readonly #userFailed = (id: string): void => void this.#users.delete(id)

  constructor(
    options: LoadedActorsOptions,
    context: ActorContext,
    alarms: Alarms,
    storageFails: () => boolean,
  ) {
    this.#options = options
    this.#context = context
    this.#alarms = alarms
    this.#storageFails = storageFails
  }

  /** Number of mails that wait for actors. */
  get mail(): number {
    let mail = 0
    for (const actor of this.#groups.values()) mail += actor.depth
    for (const actor of this.#users.values()) mail += actor.depth
    return mail
  }

  /** The group's actor, which is loaded if necessary. @throws ChatError `overloaded` */
  group(id: string): GroupActor {
    const known = this.#groups.get(id)
    if (known) return known
    this.#requireOwned(id)
    this.#makeRoom(this.#groups)
    const actor = new GroupActor(id, this.#context, this.#groupFailed)
    this.#groups.set(id, actor)
    return actor
  }

  /** The user's actor, which is loaded if necessary; `opening` if a session is opened. @throws ChatError `overloaded` */
  user(id: string, opening = false): UserActor {
    const known = this.#users.get(id)
    if (known) return known
    this.#requireOwned(id)
    this.#makeRoom(this.#users)
    const actor = new UserActor(id, this.#context, this.#userFailed, opening)
    this.#users.set(id, actor)
    return actor
  }

  /** Unloads a group whose log entries were refused. Returns false if it was not loaded. */
  abandon(groupId: string): boolean {
    const group = this.#groups.get(groupId)
    if (!group) return false
    this.#groups.delete(groupId)
    group.abandon()
    return true
  }

  /** Whether a group that is not loaded may have been since that time. */
  mayHaveBeenLoaded(groupId: string, sinceMs: number): boolean {
    return this.#released.maybeSince(groupId, sinceMs)
  }

  /** Evicts actors that were not used for this time. */
  evict(idleMs: number): void {
    const now = this.#context.steadyNow()
    const usedBefore = now - idleMs
    for (const [id, group] of this.#groups) {
      if (group.lastUsedAt > usedBefore || this.#alarms.waits('group', id)) continue
      if (!group.release()) continue
      this.#groups.delete(id)
      this.#released.add(id, now)
    }
    if (this.#storageFails()) return
    for (const [id, user] of this.#users) {
      // Most are connected: that is checked first, because it costs least.
      if (!user.idle || user.lastUsedAt > usedBefore || this.#alarms.waits('user', id)) continue
      this.#users.delete(id)
    }
  }

  /** TRN-9: an id has one actor. A second one, in a shard that does not own the id, is never opened. */
  #requireOwned(id: string): void {
    const { index, shards } = this.#options
    const owner = shardOf(id, shards)
    if (owner !== index)
      throw new Error(`shard ${index} does not own ${JSON.stringify(id)}: shard ${owner} does`)
  }

  #makeRoom(actors: ReadonlyMap<string, unknown>): void {
    const { maxActors = MAX_ACTORS } = this.#options
    if (actors.size < maxActors) return
    this.evict(CROWDED_IDLE_MS)
    if (actors.size >= maxActors) {
      throw overloaded()
    }
  }
}
