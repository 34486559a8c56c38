/**
 * Member pages: a group's members in the order of joining, a page at a time (PAG-1).
 *
 * The cursor is the key of the last member listed, `joinedSeq:userId`, not a count: who leaves
 * moves nobody over the boundary of a page. Members who joined with one event are ordered by id.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { fitRows, mapped } from '../../base/fit-rows.ts'
import type { Caller } from '../caller.ts'
import { answer, type Effects } from '../effects.ts'
import { type GroupState, type MemberState, toMember } from './group-state.ts'
import { callerMay } from './permissions.ts'

/** A member's place in the order of joining. */
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

/** The first `count` members behind the key, and those who joined with the last of them. */
function membersAfter(group: GroupState, after: Key, count: number): readonly MemberState[] {
  const found: MemberState[] = []
  // The map has the order of joining; only those of one event may stand in any order.
  for (const member of group.members.values()) {
    const last = found[count - 1]
    if (last && member.joinedSeq > last.joinedSeq) break
    if (compareJoining(after, member) < 0) found.push(member)
  }
  return found.sort(compareJoining)
}

/** The order of joining. */
export function compareJoining(a: Key, b: Key): number {
  if (a.joinedSeq !== b.joinedSeq) return a.joinedSeq - b.joinedSeq
  return a.userId === b.userId ? 0 : a.userId < b.userId ? -1 : 1
}

const start: Key = { joinedSeq: 0, userId: '' }

/** Where the page behind a member begins. */
export function memberCursor({ joinedSeq, userId }: Key): string {
  return `${joinedSeq}:${userId}`
}

/** @throws ChatError `bad_request` for what `memberCursor` has not made. */
export function parseMemberCursor(cursor: string): Key {
  const match = /^(\d{1,15}):(.+)$/su.exec(cursor)
  if (!match) {
    throw new ChatError('bad_request', 'cursor must be the cursor of an earlier page', { field: 'cursor' })
  }
  return { joinedSeq: Number(match[1]), userId: match[2] as string }
}
