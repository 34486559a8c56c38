/**
 * Group logs: where the application stands in each of its groups, over all connections.
 *
 * A group begins with the `lastSeq` that `connected` gives for it, or, where there are too many to
 * list, with its first event; one listed by `get_groups` in between is caught up from there. It
 * is forgotten when the user leaves it or is no longer in it. There are as many as the user has
 * groups.
 */
import type { EventFields } from '../protocol/events.ts'
import type { GroupListing } from '../protocol/records.ts'
import { GroupLog, type LoggedEvent, placeOf } from './group-log.ts'

/** Events that cannot be had from `resume`: page the history for the messages among them. */
export interface Missed {
  readonly groupId: string
  /** Inclusive. */
  readonly from: number
  readonly to: number
}

export interface GroupLogsHandlers {
  /** Each event of each group, once and in order. */
  deliver(event: LoggedEvent): void
  missed(missed: Missed): void
  /** The user is no longer in this group. */
  lost(groupId: string): void
}

/** A group and the last seq of it that is known, as `resume` takes it. */
export type Position = readonly [groupId: string, lastSeq: number]

export class GroupLogs {
  readonly #handlers: GroupLogsHandlers
  readonly #logs = new Map<string, GroupLog>()
  /** Groups without a log yet, that `get_groups` has listed. */
  readonly #listed = new Map<string, number>()
  #userId = ''

  constructor(handlers: GroupLogsHandlers) {
    this.#handlers = handlers
  }

  /** A connection begins. Returns what is to be resumed: all that was known before. */
  begin({ userId, groups }: EventFields<'connected'>): readonly Position[] {
    // Another user's token: nothing of the one before is theirs.
    if (this.#userId !== '' && this.#userId !== userId) this.clear()
    this.#userId = userId
    const baselines = new Map(groups.map(({ group, lastSeq }) => [group.groupId, lastSeq]))
    for (const [groupId, lastSeq] of [...this.#listed]) this.#add(groupId, lastSeq)
    const known: Position[] = []
    for (const [groupId, log] of this.#logs) {
      log.hold(baselines.get(groupId) ?? null)
      known.push([groupId, log.lastSeq])
    }
    for (const [groupId, lastSeq] of baselines) {
      if (!this.#logs.has(groupId)) this.#add(groupId, lastSeq)
    }
    return known
  }

  /** Takes an event off the wire. False where there is no room to hold it: then all is asked for again. */
  take(event: LoggedEvent): boolean {
    const { groupId, seq } = placeOf(event)
    const log = this.#logs.get(groupId) ?? this.#add(groupId, seq - 1)
    const taken = log.take(event)
    // During a catch-up the user may be back already: `resumed` will tell.
    if (taken === 'passed on' && !log.catchingUp && isOwn(event, 'user_left_group', this.#userId)) {
      this.#logs.delete(groupId)
    }
    return taken !== 'full'
  }

  /** Whether the group waits for its missed events. */
  catchingUp(groupId: string): boolean {
    return this.#logs.get(groupId)?.catchingUp ?? false
  }

  /** Ends the catch-up of the groups that were asked for, by what `resumed` says of them. */
  resumed(asked: readonly Position[], { groups }: EventFields<'resumed'>): void {
    const answered = new Map(groups.map(([groupId, lastSeq, complete]) => [groupId, { lastSeq, complete }]))
    for (const [groupId] of asked) {
      const log = this.#logs.get(groupId)
      if (!log) continue
      const answer = answered.get(groupId)
      if (!answer) {
        this.#lose(groupId, log)
        continue
      }
      const missed = answer.complete ? null : log.skipTo(answer.lastSeq)
      if (missed) this.#handlers.missed({ groupId, ...missed })
      for (const event of log.goLive()) this.take(event)
    }
  }

  /** A page of the user's groups: those that are not known yet are resumed from here. */
  listed(groups: readonly GroupListing[]): void {
    for (const { group } of groups) {
      if (!this.#logs.has(group.groupId)) this.#listed.set(group.groupId, group.lastSeq)
    }
  }

  clear(): void {
    this.#logs.clear()
    this.#listed.clear()
  }

  #lose(groupId: string, log: GroupLog): void {
    this.#logs.delete(groupId)
    this.#handlers.lost(groupId)
    // Whoever was added again meanwhile hears the group from there.
    const held = log.goLive()
    const back = held.findLastIndex((event) => isOwn(event, 'user_joined_group', this.#userId))
    if (back >= 0) for (const event of held.slice(back)) this.take(event)
  }

  #add(groupId: string, lastSeq: number): GroupLog {
    const log = new GroupLog(lastSeq, this.#handlers.deliver)
    this.#logs.set(groupId, log)
    this.#listed.delete(groupId)
    return log
  }
}

function isOwn(event: LoggedEvent, name: 'user_joined_group' | 'user_left_group', userId: string): boolean {
  return event.event === name && event.fields.userId === userId
}
