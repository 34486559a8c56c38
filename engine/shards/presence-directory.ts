/**
 * Presence directory: a shard's copy of the connections and the visible status of all users.
 *
 * Every shard is notified of each session that begins or ends, and of each status that a user's actor
 * sets (`setStatus`), in the order in which the hub handled them. The directory also stores the groups
 * of this shard to notify when a user's last session disconnects (because the user is typing there),
 * and the users that each connected user has blocked (PRV-1). Bounded by the sessions: a user who is
 * neither connected nor visible has no entry.
 */
import type { Presence } from '../actors/presence.ts'
import type { Status } from '../stored/stored-user.ts'
import type { Blocks } from './hub-records.ts'

interface Entry {
  sessions: number
  /** The session that began last; it may have ended already. */
  newest: number
  status: Status
  /** The name in the newest token; empty if no token has one. */
  name: string
  /** Groups to notify when the last session disconnects. */
  watchers: Set<string> | null
  /** The users that this user has blocked. */
  blocked: readonly string[]
  /** Another user may have blocked this user. */
  isBlocked: boolean
  /** The user may not join another group. */
  isFull: boolean
}

/** A user who is typing in a group, and the user (`from`) who must not see that any more. */
export interface HiddenTyping {
  readonly groupId: string
  readonly typist: string
  readonly from: string
}

const ABSENT: Presence = { connected: false, status: 'offline' }
const none: readonly string[] = []

export class PresenceDirectory {
  readonly #users = new Map<string, Entry>()
  /** For each blocked user: the users in the directory who have blocked them. */
  readonly #blockers = new Map<string, Set<string>>()

  /** A session has begun. */
  opened(userId: string, session: number, name = ''): void {
    const entry = this.#entryOf(userId)
    if (name) entry.name = name
    entry.sessions += 1
    entry.newest = session
  }

  /** A connected user has a new name. */
  renamed(userId: string, name: string): void {
    const entry = this.#users.get(userId)
    if (entry) entry.name = name
  }

  /** The name in the newest token of a connected user; empty if it is not known. */
  nameOf(userId: string): string {
    return this.#users.get(userId)?.name ?? ''
  }

  /** Whether the user has no session besides this one. */
  hasOnly(userId: string, session: number): boolean {
    const entry = this.#users.get(userId)
    return !entry || entry.sessions === 0 || (entry.sessions === 1 && entry.newest === session)
  }

  /** A session has ended. Returns the groups to notify if it was the last one. */
  closed(userId: string): readonly string[] {
    const entry = this.#users.get(userId)
    if (!entry || entry.sessions === 0) return none
    entry.sessions -= 1
    if (entry.sessions > 0) return none
    const watchers = entry.watchers
    entry.watchers = null
    this.#removeIfUnused(userId, entry)
    return watchers ? [...watchers] : none
  }

  /** Sets the visible status of the user. Returns the groups to notify if the user is not visible any more. */
  setStatus(userId: string, status: Status): readonly string[] {
    const entry = this.#entryOf(userId)
    entry.status = status
    const watchers = status === 'offline' ? entry.watchers : null
    if (watchers) entry.watchers = null
    this.#removeIfUnused(userId, entry)
    return watchers ? [...watchers] : none
  }

  /** Starts or stops notifying the group when the user's last session disconnects. */
  watch(userId: string, groupId: string, on: boolean): void {
    const entry = this.#users.get(userId)
    // Without a session there is no end of one.
    if (!entry || entry.sessions === 0) return
    if (on) {
      entry.watchers ??= new Set()
      entry.watchers.add(groupId)
    } else {
      entry.watchers?.delete(groupId)
      if (entry.watchers?.size === 0) entry.watchers = null
    }
  }

  /**
   * Sets the list of users that a user has blocked, and whether another user has blocked them. Returns
   * the groups in which each of the two must no longer see the other typing.
   */
  setBlocked({ userId, blocked, isBlocked }: Blocks): readonly HiddenTyping[] {
    const entry = this.#users.get(userId)
    const before = new Set(entry?.blocked)
    const hidden: HiddenTyping[] = []
    for (const otherId of blocked) {
      const other = this.#users.get(otherId)
      if (!other) continue
      other.isBlocked = true
      if (before.has(otherId)) continue
      for (const groupId of other.watchers ?? none) hidden.push({ groupId, typist: otherId, from: userId })
      for (const groupId of entry?.watchers ?? none) hidden.push({ groupId, typist: userId, from: otherId })
    }
    if (!entry) return hidden
    this.#dropBlocked(userId, entry)
    if (isBlocked) entry.isBlocked = true
    entry.blocked = blocked
    for (const otherId of blocked) {
      const blockers = this.#blockers.get(otherId)
      if (blockers) blockers.add(userId)
      else this.#blockers.set(otherId, new Set([userId]))
    }
    return hidden
  }

  /** Sets whether a connected user may not join another group. */
  setFull(userId: string, isFull: boolean): void {
    const entry = this.#users.get(userId)
    if (entry) entry.isFull = isFull
  }

  /**
   * Whether another user may have blocked this user. False only for a user who is visibly connected and
   * not blocked, so that most posts need no read. The user's actor announces blocks before the status.
   */
  mayBeBlocked(userId: string): boolean {
    const entry = this.#users.get(userId)
    return !entry || entry.sessions === 0 || entry.status === 'offline' || entry.isBlocked
  }

  /** Users who must not see this user, or must not be seen by them, as far as they are in the directory. */
  barredFrom(userId: string): readonly string[] {
    const blocked = this.#users.get(userId)?.blocked ?? none
    const blockers = this.#blockers.get(userId)
    return blockers ? [...blocked, ...blockers] : blocked
  }

  presenceOf(userId: string): Presence {
    const entry = this.#users.get(userId)
    return entry
      ? { connected: entry.sessions > 0, status: entry.status, isFull: entry.isFull || undefined }
      : ABSENT
  }

  #entryOf(userId: string): Entry {
    const entry = this.#users.get(userId)
    if (entry) return entry
    const created: Entry = {
      sessions: 0,
      newest: 0,
      status: 'offline',
      name: '',
      watchers: null,
      blocked: none,
      isBlocked: false,
      isFull: false,
    }
    this.#users.set(userId, created)
    return created
  }

  #removeIfUnused(userId: string, entry: Entry): void {
    if (entry.sessions > 0 || entry.status !== 'offline') return
    this.#dropBlocked(userId, entry)
    this.#users.delete(userId)
  }

  #dropBlocked(userId: string, { blocked }: Entry): void {
    for (const otherId of blocked) {
      const blockers = this.#blockers.get(otherId)
      blockers?.delete(userId)
      if (blockers?.size === 0) this.#blockers.delete(otherId)
    }
  }
}
