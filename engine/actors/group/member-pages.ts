/**
 * Member pages: a group's members in the order of joining, in pages (PAG-1).
 *
 * The cursor is the key of the last listed member, `joinedSeq:userId`. It is not a count, so that no member
 * is skipped when others leave. Members who joined with the same event are ordered by id.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { fitRows, mapped } from '../../base/fit-rows.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effects } from '../effects.ts'
import { type GroupState, type MemberState, toMember } from './group-state.ts'
import { callerMay } from './permissions.ts'

/** The key of a member in the order of joining. */
type Key = Pick<MemberState, 'joinedSeq' | 'userId'>

export function getMembers(
  group: GroupState,
  by: Caller,
  { cursor, limit = limits.membersPage }: RequestFields<'get_members'>,
  now: number,
): Effects {
  callerMay(group, by, 'get_members', now)
  const following = membersAfter(group, cursor === undefined ? start : parseMemberCursor(cursor), limit + 1)
  const { rows, hasMore } = fitRows(mapped(following, toMember), limit)
  const last = following[rows.length - 1]
  return [
    answer(by, 'members', {
      groupId: group.groupId,
      members: rows,
      cursor: hasMore && last ? memberCursor(last) : undefined,
    }),
  ]
}

/** The first `count` members after the key, and those who joined with the last of them. */
function membersAfter(group: GroupState, after: Key, count: number): readonly MemberState[] {
  const found: MemberState[] = []
  // The map is in the order of joining; only members of the same event may be in any order.
  for (const member of group.members.values()) {
    const last = found[count - 1]
    if (last && member.joinedSeq > last.joinedSeq) break
    if (compareJoining(after, member) < 0) found.push(member)
  }
  return found.sort(compareJoining)
}

/** Compares by the order of joining. */
export function compareJoining(a: Key, b: Key): number {
  if (a.joinedSeq !== b.joinedSeq) return a.joinedSeq - b.joinedSeq
  return a.userId === b.userId ? 0 : a.userId < b.userId ? -1 : 1
}

const start: Key = { joinedSeq: 0, userId: '' }

/** The cursor of the page after a member. */
export function memberCursor({ joinedSeq, userId }: Key): string {
  return `${joinedSeq}:${userId}`
}

/** @throws ChatError `bad_request` if it is not from `memberCursor`. */
export function parseMemberCursor(cursor: string): Key {
  const match = /^(\d{1,15}):(.+)$/su.exec(cursor)
  if (!match) {
    throw new ChatError('bad_request', 'cursor must be the cursor of an earlier page', { field: 'cursor' })
  }
  return { joinedSeq: Number(match[1]), userId: match[2] as string }
}
