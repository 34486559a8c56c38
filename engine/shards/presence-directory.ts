/**
 * Presence directory: a shard's copy of who is connected and how they are seen.
 *
 * Every shard hears of every session that begins and ends, and what the users' actors decide
 * (`tell`), all in the order in which the hub heard it. It also keeps who is to be told when the
 * last session of somebody has gone: groups of this shard in which they were typing; and whom those
 * who are connected have blocked (PRV-1). Bounded by
 * the sessions; who is neither connected nor seen is not in it.
 */
import type { Presence } from '../actors/presence.ts'
import type { Status } from '../stored/stored-user.ts'
import type { Blocks } from './hub-records.ts'

interface Known {
  sessions: number
  /** The session that began last; it may have ended. */
  newest: number
  status: Status
  /** What the newest token calls them; empty where none of theirs does. */
  name: string
  /** Groups to be told when the last session goes. */
  watchers: Set<string> | null
  /** Whom they have blocked. */
  blocked: readonly string[]
  /** Somebody may have blocked them. */
  isBlocked: boolean
  /** They may be in no further group. */
  isFull: boolean
}

/** A user who is typing in a group, and a user from whom that is hidden from now on. */
export interface HiddenTyping {
  readonly groupId: string
  readonly typist: string
  readonly from: string
}

const ABSENT: Presence = { connected: false, status: 'offline' }
const nobody: readonly string[] = []

export class PresenceDirectory {
  readonly #users = new Map<string, Known>()
  /** Of users who are blocked: by whom of those in the directory. */
  readonly #blockers = new Map<string, Set<string>>()

  /** A session has begun. */
  opened(userId: string, session: number, name = ''): void {
    const known = this.#known(userId)
    if (name) known.name = name
    known.sessions += 1
    known.newest = session
  }

  /** A connected user is called otherwise from now on. */
  renamed(userId: string, name: string): void {
    const known = this.#users.get(userId)
    if (known) known.name = name
  }

  /** What a connected user's newest token calls them; empty where that is not known. */
  nameOf(userId: string): string {
    return this.#users.get(userId)?.name ?? ''
  }

  /** Whether no other session of the user would hear what this one does not. */
  hasOnly(userId: string, session: number): boolean {
    const known = this.#users.get(userId)
    return !known || known.sessions === 0 || (known.sessions === 1 && known.newest === session)
  }

  /** A session has ended; the groups to be told where it was the last. */
  closed(userId: string): readonly string[] {
    const known = this.#users.get(userId)
    if (!known || known.sessions === 0) return nobody
    known.sessions -= 1
    if (known.sessions > 0) return nobody
    const watchers = known.watchers
    known.watchers = null
    this.#forget(userId, known)
    return watchers ? [...watchers] : nobody
  }

  /** How the user's actor says that they are seen from now on; the groups to be told where it is not at all. */
  tell(userId: string, status: Status): readonly string[] {
    const known = this.#known(userId)
    known.status = status
    const watchers = status === 'offline' ? known.watchers : null
    if (watchers) known.watchers = null
    this.#forget(userId, known)
    return watchers ? [...watchers] : nobody
  }

  /** The group is told, or no longer, when the user's last session goes. */
  watch(userId: string, groupId: string, on: boolean): void {
    const known = this.#users.get(userId)
    // Who has no session has nothing that could end.
    if (!known || known.sessions === 0) return
    if (on) {
      known.watchers ??= new Set()
      known.watchers.add(groupId)
    } else {
      known.watchers?.delete(groupId)
      if (known.watchers?.size === 0) known.watchers = null
    }
  }

  /**
   * Replaces the list of users that a user has blocked, and whether somebody has blocked them. Returns the
   * groups in which each of the two must no longer see the other typing.
   */
  setBlocked({ userId, blocked, isBlocked }: Blocks): readonly HiddenTyping[] {
    const known = this.#users.get(userId)
    const before = new Set(known?.blocked)
    const hidden: HiddenTyping[] = []
    for (const otherId of blocked) {
      const other = this.#users.get(otherId)
      if (!other) continue
      other.isBlocked = true
      if (before.has(otherId)) continue
      for (const groupId of other.watchers ?? nobody) hidden.push({ groupId, typist: otherId, from: userId })
      for (const groupId of known?.watchers ?? nobody) hidden.push({ groupId, typist: userId, from: otherId })
    }
    if (!known) return hidden
    this.#dropBlocked(userId, known)
    if (isBlocked) known.isBlocked = true
    known.blocked = blocked
    for (const otherId of blocked) {
      const blockers = this.#blockers.get(otherId)
      if (blockers) blockers.add(userId)
      else this.#blockers.set(otherId, new Set([userId]))
    }
    return hidden
  }

  /** Whether a user who is connected may be in no further group, from now on. */
  setFull(userId: string, isFull: boolean): void {
    const known = this.#users.get(userId)
    if (known) known.isFull = isFull
  }

  /**
   * Whether somebody may have blocked the user. False only for a user who is visibly connected and whom
   * nobody has blocked, so that most posts need no read. Their actor announces blocks before the status.
   */
  mayBeBlocked(userId: string): boolean {
    const known = this.#users.get(userId)
    return !known || known.sessions === 0 || known.status === 'offline' || known.isBlocked
  }

  /** Those who are not to see the user, and whom the user is not to see, as far as it matters. */
  barredFrom(userId: string): readonly string[] {
    const blocked = this.#users.get(userId)?.blocked ?? nobody
    const blockers = this.#blockers.get(userId)
    return blockers ? [...blocked, ...blockers] : blocked
  }

  presenceOf(userId: string): Presence {
    const known = this.#users.get(userId)
    return known
      ? { connected: known.sessions > 0, status: known.status, isFull: known.isFull || undefined }
      : ABSENT
  }

  #known(userId: string): Known {
    const known = this.#users.get(userId)
    if (known) return known
    const made: Known = {
      sessions: 0,
      newest: 0,
      status: 'offline',
      name: '',
      watchers: null,
      blocked: nobody,
      isBlocked: false,
      isFull: false,
    }
    this.#users.set(userId, made)
    return made
  }

  #forget(userId: string, known: Known): void {
    if (known.sessions > 0 || known.status !== 'offline') return
    this.#dropBlocked(userId, known)
    this.#users.delete(userId)
  }

  #dropBlocked(userId: string, { blocked }: Known): void {
    for (const otherId of blocked) {
      const blockers = this.#blockers.get(otherId)
      blockers?.delete(userId)
      if (blockers?.size === 0) this.#blockers.delete(otherId)
    }
  }
}
