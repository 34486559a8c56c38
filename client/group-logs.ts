/**
 * Group logs: how much of each of the user's groups the application has seen, over all connections.
 *
 * On the first connection a group begins with the `lastSeq` that `connected` gives for it. Groups
 * beyond those that `connected` has room for begin with what `get_groups` says, or with their first
 * event. On every later connection a group that is not known was met while the client was away: it
 * is resumed from the user's join (CUP-2). A group is forgotten when the user leaves it or is no
 * longer in it. Bounded by the number of the user's groups.
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
  /** An event of a group that was not known: it has to be resumed from there. */
  met(position: Position): void
  /**
   * A catch-up has ended: of what the group got up to `seq`, all was delivered or reported as
   * missed. What was delivered up to there is durable.
   */
  caughtUp(groupId: string, seq: number): void
}

/** A group and the last seq of it that is known; 0 stands for the user's join. */
export type Position = readonly [groupId: string, lastSeq: number]

export class GroupLogs {
  readonly #handlers: GroupLogsHandlers
  readonly #logs = new Map<string, GroupLog>()
  /** Groups without a log yet, that `get_groups` has listed. */
  readonly #listed = new Map<string, number>()
  #userId = ''
  /** Groups that are not known may have missed events: not on the first connection. */
  #mayHaveMet = false

  constructor(handlers: GroupLogsHandlers) {
    this.#handlers = handlers
  }

  /** A connection begins. Returns what is to be resumed. */
  begin({ userId, groups }: EventFields<'connected'>): readonly Position[] {
    this.#mayHaveMet = this.#userId === userId
    // Another user's token: nothing of the previous user is theirs.
    if (!this.#mayHaveMet) this.clear()
    this.#userId = userId
    const baselines = new Map(groups.map(({ group, lastSeq }) => [group.groupId, lastSeq]))
    for (const [groupId, lastSeq] of [...this.#listed]) this.#add(groupId, lastSeq)
    for (const [groupId, lastSeq] of baselines) {
      if (!this.#logs.has(groupId)) this.#add(groupId, this.#mayHaveMet ? 0 : lastSeq)
    }
    if (!this.#mayHaveMet) return []
    const positions: Position[] = []
    for (const [groupId, log] of this.#logs) {
      log.hold(baselines.get(groupId) ?? null)
      positions.push([groupId, log.lastSeq])
    }
    return positions
  }

  /** All groups were listed: one that is not known yet begins with its next event. */
  complete(): void {
    this.#mayHaveMet = false
  }

  /** Handles an event from the wire. False where there is no room to hold it: then all is asked for again. */
  take(event: LoggedEvent): boolean {
    const { groupId, seq } = placeOf(event)
    const log = this.#logs.get(groupId) ?? this.#begun(event, groupId, seq)
    const taken = log.take(event)
    // During a catch-up the user may be a member again already: `resumed` decides.
    if (taken === 'passed on' && !log.catchingUp && isOwn(event, 'user_left_group', this.#userId)) {
      this.#logs.delete(groupId)
    }
    return taken !== 'full'
  }

  /** Whether the group waits for its missed events. */
  catchingUp(groupId: string): boolean {
    return this.#logs.get(groupId)?.catchingUp ?? false
  }

  /** The highest seq that was seen of the group; 0 where it is not known. */
  lastSeq(groupId: string): number {
    return this.#logs.get(groupId)?.lastSeq ?? 0
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
      // A `resume` that was refused names no seq of its own: what it should have brought is missed.
      const missed = answer.complete ? null : log.skipTo(Math.max(answer.lastSeq, log.baseline))
      if (missed) this.#handlers.missed({ groupId, ...missed })
      for (const event of log.goLive()) this.take(event)
      this.#handlers.caughtUp(groupId, answer.lastSeq)
    }
  }

  /** A page of the user's groups. Returns those of them that are to be resumed. */
  listed(groups: readonly GroupListing[]): readonly Position[] {
    const met: Position[] = []
    for (const { group } of groups) {
      if (this.#logs.has(group.groupId)) continue
      if (this.#mayHaveMet) met.push(this.#meet(group.groupId)[1])
      else this.#listed.set(group.groupId, group.lastSeq)
    }
    return met
  }

  clear(): void {
    this.#logs.clear()
    this.#listed.clear()
  }

  #lose(groupId: string, log: GroupLog): void {
    this.#logs.delete(groupId)
    // Nothing was ever shown of a group that was met and left while the client was away.
    if (log.lastSeq > 0) this.#handlers.lost(groupId)
    // A user who was added again meanwhile sees the group from there.
    const held = log.goLive()
    const back = held.findLastIndex((event) => isOwn(event, 'user_joined_group', this.#userId))
    if (back >= 0) for (const event of held.slice(back)) this.take(event)
    this.#handlers.caughtUp(groupId, 0)
  }

  /** The log of a group that was not known, for its first event. */
  #begun(event: LoggedEvent, groupId: string, seq: number): GroupLog {
    const begins = seq === 1 || isOwn(event, 'user_joined_group', this.#userId)
    if (!this.#mayHaveMet || begins) return this.#add(groupId, seq - 1)
    const [log, position] = this.#meet(groupId)
    this.#handlers.met(position)
    return log
  }

  #meet(groupId: string): readonly [GroupLog, Position] {
    const log = this.#add(groupId, this.#listed.get(groupId) ?? 0)
    log.hold(null)
    return [log, [groupId, log.lastSeq]]
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
