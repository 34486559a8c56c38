/**
 * Group logs: the position of the application in each of the user's groups, over all connections.
 *
 * On the first connection without start positions a group starts at its `lastSeq` in `connected`. Groups that `connected`
 * does not list start at their `lastSeq` in `get_groups`, or with their first event. On every later
 * connection an unknown group is one that the user joined while the client was disconnected: it is
 * resumed from the user's join (CUP-2). A group is removed when the user leaves it or is no longer
 * in it. Bounded by the number of the user's groups.
 */
import type { EventFields } from '../protocol/events.ts'
import type { GroupListing } from '../protocol/records.ts'
import { type GroupEvent, placeOf } from './group-event.ts'
import { GroupLog } from './group-log.ts'
import type { StartPositions } from './options.ts'

/** Events that `resume` does not replay: page the history for the messages among them. */
export interface Missed {
  readonly groupId: string
  /** Inclusive. */
  readonly from: number
  readonly to: number
}

export interface GroupLogsHandlers {
  /** Each event of each group, once and in order. */
  deliver(event: GroupEvent): void
  missed(missed: Missed): void
  /** The user is no longer in this group. */
  lost(groupId: string): void
  /** An event of an unknown group: resume the group from this position. */
  discovered(position: Position): void
  /**
   * A catch-up has ended: all events of the group up to `seq` were delivered or reported as missed.
   * The delivered events up to `seq` are durable.
   */
  caughtUp(groupId: string, seq: number): void
}

/** A group and its last known seq; 0 means the user's join. */
export type Position = readonly [groupId: string, lastSeq: number]

export class GroupLogs {
  readonly #handlers: GroupLogsHandlers
  readonly #logs = new Map<string, GroupLog>()
  /** Groups from `get_groups` that have no log yet. */
  readonly #listed = new Map<string, number>()
  #userId = ''
  /** Whether unknown groups may have missed events: not on the first connection. */
  #mayDiscover = false

  /** With `start`, the first connection of its user resumes from there. */
  constructor(handlers: GroupLogsHandlers, start?: StartPositions) {
    this.#handlers = handlers
    if (!start) return
    this.#userId = start.userId
    for (const [groupId, lastSeq] of start.groups) this.#add(groupId, lastSeq)
  }

  /** Handles a new connection. Returns the groups to resume. */
  begin({ userId, groups }: EventFields<'connected'>): readonly Position[] {
    this.#mayDiscover = this.#userId === userId
    // The token is another user's: the groups of the previous user are dropped.
    if (!this.#mayDiscover) this.clear()
    this.#userId = userId
    const baselines = new Map(groups.map(({ group, lastSeq }) => [group.groupId, lastSeq]))
    for (const [groupId, lastSeq] of [...this.#listed]) this.#add(groupId, lastSeq)
    for (const [groupId, lastSeq] of baselines) {
      if (!this.#logs.has(groupId)) this.#add(groupId, this.#mayDiscover ? 0 : lastSeq)
    }
    if (!this.#mayDiscover) return []
    const positions: Position[] = []
    for (const [groupId, log] of this.#logs) {
      log.startCatchUp(baselines.get(groupId) ?? null)
      positions.push([groupId, log.lastSeq])
    }
    return positions
  }

  /** All groups were listed: an unknown group starts with its next event. */
  complete(): void {
    this.#mayDiscover = false
  }

  /** Handles an event from the wire. False if the buffer is full: the caller closes the connection. */
  handle(event: GroupEvent): boolean {
    const { groupId, seq } = placeOf(event)
    const log = this.#logs.get(groupId) ?? this.#logForFirst(event, groupId, seq)
    const outcome = log.handle(event)
    // During a catch-up the user may be a member again already: `resumed` decides.
    if (outcome === 'delivered' && !log.catchingUp && isOwn(event, 'user_left_group', this.#userId)) {
      this.#logs.delete(groupId)
    }
    return outcome !== 'full'
  }

  /** Whether the group waits for its missed events. */
  catchingUp(groupId: string): boolean {
    return this.#logs.get(groupId)?.catchingUp ?? false
  }

  /** The highest seq that was delivered of the group; 0 if the group is unknown. */
  lastSeq(groupId: string): number {
    return this.#logs.get(groupId)?.lastSeq ?? 0
  }

  /** Ends the catch-up of the requested groups, according to `resumed`. */
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
      // A failed `resume` has no seq of its own: the events up to the baseline are reported as missed.
      const missed = answer.complete ? null : log.skipTo(Math.max(answer.lastSeq, log.baseline))
      if (missed) this.#handlers.missed({ groupId, ...missed })
      for (const event of log.goLive()) this.handle(event)
      this.#handlers.caughtUp(groupId, answer.lastSeq)
    }
  }

  /** Handles a page of the user's groups. Returns those to resume. */
  listed(groups: readonly GroupListing[]): readonly Position[] {
    const discovered: Position[] = []
    for (const { group } of groups) {
      if (this.#logs.has(group.groupId)) continue
      if (this.#mayDiscover) discovered.push(this.#discover(group.groupId)[1])
      else this.#listed.set(group.groupId, group.lastSeq)
    }
    return discovered
  }

  clear(): void {
    this.#logs.clear()
    this.#listed.clear()
  }

  #lose(groupId: string, log: GroupLog): void {
    this.#logs.delete(groupId)
    // The user joined and left the group while the client was disconnected: nothing of it was delivered.
    if (log.lastSeq > 0) this.#handlers.lost(groupId)
    // A user who was added again meanwhile sees the group from that join.
    const buffered = log.goLive()
    const joinedAt = buffered.findLastIndex((event) => isOwn(event, 'user_joined_group', this.#userId))
    if (joinedAt >= 0) for (const event of buffered.slice(joinedAt)) this.handle(event)
    this.#handlers.caughtUp(groupId, 0)
  }

  /** The log of an unknown group, for its first event. */
  #logForFirst(event: GroupEvent, groupId: string, seq: number): GroupLog {
    const begins = seq === 1 || isOwn(event, 'user_joined_group', this.#userId)
    if (!this.#mayDiscover || begins) return this.#add(groupId, seq - 1)
    const [log, position] = this.#discover(groupId)
    this.#handlers.discovered(position)
    return log
  }

  #discover(groupId: string): readonly [GroupLog, Position] {
    const log = this.#add(groupId, this.#listed.get(groupId) ?? 0)
    log.startCatchUp(null)
    return [log, [groupId, log.lastSeq]]
  }

  #add(groupId: string, lastSeq: number): GroupLog {
    const log = new GroupLog(lastSeq, this.#handlers.deliver)
    this.#logs.set(groupId, log)
    this.#listed.delete(groupId)
    return log
  }
}

function isOwn(event: GroupEvent, name: 'user_joined_group' | 'user_left_group', userId: string): boolean {
  return event.event === name && event.fields.userId === userId
}
