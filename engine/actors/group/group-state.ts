/**
 * Group state: the state of a group's actor. It is changed by handlers, by loading, and by recorded events.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Group, Member } from '../../../protocol/records.ts'
import { allFit } from '../../base/fit-rows.ts'
import { awaitedMember } from '../../stored/awaited-member.ts'
import type { LogEntry } from '../../stored/log-entry.ts'
import type { LoadedGroup, Role, StoredGroup, StoredMember } from '../../stored/stored-group.ts'
import { RECENT_EVENTS, REMEMBERED_TEMP_IDS } from '../../stored/stored-group.ts'
import type { Person } from '../../stored/stored-user.ts'
import type { GroupRules } from '../group-rules.ts'
import type { Attach } from '../mail.ts'
import { ChangedMessages } from './changed-messages.ts'
import type { FormerMember } from './former-members.ts'
import type { NewFile } from './group-files.ts'
import { loadedReceipts, type MemberReceipts } from './member-receipts.ts'
import { ReceiptNews } from './receipt-news.ts'
import { RecentEvents } from './recent-events.ts'

export interface MemberState extends StoredMember {
  readonly role: Role
  readonly name: string
  /** Empty if it is not known. */
  readonly picture: string
}

export interface GroupState {
  readonly groupId: string
  info: StoredGroup
  /** By user id, in the order of joining. */
  readonly members: Map<string, MemberState>
  /** The users who may not rejoin, and those who may join a private group. Bounded by their limits. */
  readonly banned: Set<string>
  readonly invited: Set<string>
  /**
   * In a direct chat: the user who has not accepted it and is not a member until then. They are also
   * in `invited`, or among the former members if they have declined. PRV-2
   */
  awaited: Person | null
  /** In a direct chat: the users who have blocked the other. PRV-1 */
  readonly blockers: ReadonlySet<string>
  /** By user id, in the order of leaving. */
  readonly former: Map<string, FormerMember>
  readonly recent: RecentEvents
  readonly changed: ChangedMessages
  /** The seq of the pin event by the seq of the post; the latest pin last. */
  readonly pins: Map<number, number>
  /** The same of posts that are pinned no more, which members may not have been shown; among `changed`. */
  readonly unpinned: Map<number, number>
  /** Files that no message has shown yet, the newest last; bounded in `group-files.ts`. */
  readonly newFiles: Map<string, NewFile>
  /** Receipts of members, by user id; only of members who have any. */
  readonly receipts: Map<string, MemberReceipts>
  readonly receiptNews: ReceiptNews
  readonly rules: GroupRules
  /** Idempotency keys of the newest messages and their numbers, oldest first. */
  readonly tempIds: Map<string, number>
  /** The typing users, and when their typing ends by the steady clock. Empty in large groups. */
  readonly typing: Map<string, number>
  /** The steady clock's time when the current mail is handled, for durations (TIM-1); set by the actor. */
  steadyNow: number
  /** The newest assigned number. */
  lastSeq: number
  /** The newest number that members have been shown; lower than `lastSeq` only with `FANOUT=committed`. */
  publishedSeq: number
  /** Numbers up to here may be assigned: the lease, which the actor manages. */
  ceiling: number
  /** The fronts for which missed events are read now, and the sessions that wait for that. */
  readonly continuing: Set<number>
  readonly waiting: Attach[]
}

/** The state of a group in the log. */
export function loadedState(
  info: StoredGroup,
  loaded: LoadedGroup,
  rules: GroupRules,
  blockers: ReadonlySet<string>,
): GroupState {
  return {
    groupId: info.groupId,
    info,
    members: new Map(loaded.members.map((member) => [member.userId, loadedMember(member)])),
    banned: new Set(loaded.banned),
    invited: new Set(loaded.invited),
    awaited: loaded.awaited,
    blockers,
    former: new Map(
      loaded.former.map(([userId, byChoice, mutedUntil]) => [
        userId,
        { byChoice: byChoice === 1, mutedUntil },
      ]),
    ),
    recent: new RecentEvents(loaded.recent, loaded.recent.length < RECENT_EVENTS),
    changed: new ChangedMessages(),
    pins: new Map(loaded.pins),
    unpinned: new Map(),
    receipts: loadedReceipts(loaded.receipts),
    receiptNews: new ReceiptNews(),
    newFiles: new Map(),
    rules,
    tempIds: new Map(
      loaded.tempIds.map(([senderId, tempId, seq]) => [idempotencyKey(senderId, tempId), seq]),
    ),
    typing: new Map(),
    steadyNow: 0,
    lastSeq: loaded.lastSeq,
    publishedSeq: loaded.lastSeq,
    ceiling: loaded.ceiling,
    continuing: new Set(),
    waiting: [],
  }
}

/** A literal has no room to spare: there is one for each member of a loaded group. */
function loadedMember(member: LoadedGroup['members'][number]): MemberState {
  const { userId, name, picture, role, joinedSeq, joinedAt, mutedUntil, quietUntil, approached } = member
  return { userId, name, picture, role, joinedSeq, joinedAt, mutedUntil, quietUntil, approached }
}

/** The state of a new group. */
export function newState(
  info: StoredGroup,
  ceiling: number,
  rules: GroupRules,
  blockers: ReadonlySet<string> = new Set(),
): GroupState {
  return {
    groupId: info.groupId,
    info,
    members: new Map(),
    banned: new Set(),
    invited: new Set(),
    awaited: null,
    blockers,
    former: new Map(),
    recent: new RecentEvents([], true),
    changed: new ChangedMessages(),
    pins: new Map(),
    unpinned: new Map(),
    receipts: new Map(),
    receiptNews: new ReceiptNews(),
    newFiles: new Map(),
    rules,
    tempIds: new Map(),
    typing: new Map(),
    steadyNow: 0,
    lastSeq: 0,
    publishedSeq: 0,
    ceiling,
    continuing: new Set(),
    waiting: [],
  }
}

/**
 * Assigns the next number. The actor ensures that the lease covers it. Only a handler that waited for a
 * read while many others wrote may find none left.
 * @throws ChatError `overloaded`
 */
export function nextSeq(group: GroupState): number {
  if (group.lastSeq >= group.ceiling) throw new ChatError('overloaded', undefined, { retryAfterMs: 100 })
  group.lastSeq += 1
  return group.lastSeq
}

/** The key of a message: the same tempId of the same sender makes one message (IDM-1). */
export function idempotencyKey(senderId: string, tempId: string): string {
  // The length ensures that different pairs have different keys.
  return `${senderId.length}:${senderId}${tempId}`
}

/** Remembers a sent message by its idempotency key. Above the limit, the oldest key is removed. */
export function rememberMessage(group: GroupState, key: string, seq: number): void {
  group.tempIds.set(key, seq)
  if (group.tempIds.size <= REMEMBERED_TEMP_IDS) return
  for (const oldest of group.tempIds.keys()) {
    group.tempIds.delete(oldest)
    break
  }
}

/** The record of the group for its members. */
export function toGroup(group: GroupState): Group {
  const { info, members, lastSeq, awaited } = group
  const listed = members.size <= limits.listedMembers ? Array.from(members.values(), toMember) : undefined
  if (awaited) listed?.push(awaitedMember(awaited, info.createdAt))
  return {
    ...info,
    memberCount: members.size,
    lastSeq,
    members: listed && allFit(listed) ? listed : undefined,
  }
}

/** The record of a member. */
export function toMember({ userId, name, role, joinedAt, mutedUntil, picture }: MemberState): Member {
  return {
    userId,
    name,
    role,
    joinedAt,
    mutedUntil: mutedUntil || undefined,
    picture: picture || undefined,
  }
}

/** The log entry for a member who joined or changed. */
export function memberEntry({ groupId }: GroupState, member: MemberState): LogEntry {
  const { userId, role, joinedSeq, joinedAt, mutedUntil, quietUntil, approached } = member
  return {
    type: 'member',
    groupId,
    member: { userId, role, joinedSeq, joinedAt, mutedUntil, quietUntil, approached },
  }
}
