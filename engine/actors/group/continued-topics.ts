/**
 * Continued topics: sends a front the events of a group that it has missed, once for all its connections.
 *
 * They are the events that the connections would have received live, in the same order; a member who left
 * meanwhile receives nothing after that event, one who was a member again for a while only what came meanwhile,
 * and after a gap nobody receives anything whose membership the crash took back (GAP-1). While events are read the sessions that begin to receive the group wait, so that none of them gets
 * an older event through the topic. Bounded like `resume`: above `limits.resumeEvents` missed events the
 * subscribers must resume by themselves.
 */
import { limits } from '../../../protocol/limits.ts'
import type { LoggedEvent } from '../../stored/stored-group.ts'
import type { Continued, SubscriberChange } from '../continuing.ts'
import { type Effect, type Effects, read, tellGroup } from '../effects.ts'
import type { ContinueTopic } from '../mail.ts'
import type { GroupState } from './group-state.ts'
import { isGap, membershipBy, toFrame } from './missed-events.ts'

const PIECE_EVENTS = 500

export function continueTopic(group: GroupState, mail: ContinueTopic): Effects {
  const { groupId, publishedSeq, recent } = group
  const { front, from } = mail
  if (from >= publishedSeq) return continued(group, front, 'live')
  if (from + 1 >= recent.floor) {
    const missed = recent.range(from, publishedSeq, Number.POSITIVE_INFINITY)
    return [...missed.flatMap((event) => toFront(group, front, event)), ...continued(group, front, 'live')]
  }
  group.continuing.add(front)
  // Numbers may have gaps, so that only many numbers can be many events.
  if (!mail.counted && publishedSeq - from > limits.resumeEvents) {
    const cap = limits.resumeEvents + 1
    return [
      read({ read: 'count', groupId, after: from, upTo: publishedSeq, cap }, mail, (count) =>
        count < cap ? continueTopic(group, { ...mail, counted: true }) : continued(group, front, 'lost'),
      ),
    ]
  }
  const upTo = recent.floor - 1
  return [
    read({ read: 'events', groupId, after: from, upTo, limit: PIECE_EVENTS }, mail, (older) => {
      const reached = older.length < PIECE_EVENTS ? upTo : (older.at(-1)?.seq ?? upTo)
      return [
        ...older.flatMap((event) => toFront(group, front, event)),
        ...continueTopic(group, { ...mail, from: reached, counted: true }),
      ]
    }),
  ]
}

/** The topic has continued, or not: sessions that waited are attached. */
function continued(group: GroupState, front: number, how: Continued): Effects {
  const { groupId, continuing, waiting } = group
  continuing.delete(front)
  const attached = continuing.size === 0 ? waiting.splice(0) : []
  return [{ type: 'continued', front, groupId, how }, ...attached.map((mail) => tellGroup(groupId, mail))]
}

function toFront(group: GroupState, front: number, event: LoggedEvent): Effect[] {
  const { groupId, recent } = group
  const { seq } = event
  const shown: Effect = { type: 'show_front', front, groupId, seq, frame: toFrame(group, event) }
  const changed = (change: SubscriberChange): Effect => ({
    type: 'change_subscribers',
    front,
    groupId,
    change,
  })
  const entered = membershipBy(event)
  if (entered) {
    const { userId, isMember } = entered
    if (!isMember) return [shown, changed({ left: userId })]
    // The sessions of a user who is still a member are attached by the user's actor.
    return hasEnded(group, userId, seq) ? [changed({ joined: userId, after: seq - 1 }), shown] : [shown]
  }
  // If later events are not in memory, the actors of users check the membership (`check_member`).
  if (!isGap(event) || seq + 1 < recent.floor) return [shown]
  return [shown, changed({ only: membersAt(group, seq) })]
}

/** Whether a membership that began with this seq has ended. */
function hasEnded({ members }: GroupState, userId: string, since: number): boolean {
  const member = members.get(userId)
  return member === undefined || member.joinedSeq > since
}

/**
 * The members at this seq, of the members now and those who left since, also by an event that is not shown
 * yet. Later events are in memory.
 */
function membersAt({ members, recent, lastSeq }: GroupState, seq: number): string[] {
  const were = new Map<string, boolean>()
  for (const { userId, joinedSeq } of members.values()) if (joinedSeq <= seq) were.set(userId, true)
  for (const event of recent.range(seq, lastSeq, Number.POSITIVE_INFINITY)) {
    const entered = membershipBy(event)
    if (entered && !were.has(entered.userId)) were.set(entered.userId, !entered.isMember)
  }
  return [...were].flatMap(([userId, is]) => (is ? userId : []))
}
