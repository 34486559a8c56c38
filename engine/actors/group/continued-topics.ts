/**
 * Continued topics: sends a front the events of a group that it has missed, once for all its connections.
 *
 * They are the events that the connections would have received live, in the same order; a member who left
 * meanwhile receives nothing after that event, and after a gap nobody whose membership the crash took back
 * (GAP-1). While events are read the sessions that begin to receive the group wait, so that none of them gets
 * an older event through the topic. Bounded like `resume`: above `limits.resumeEvents` missed events the
 * subscribers must resume by themselves.
 */
import { decodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import type { LoggedEvent } from '../../stored/stored-group.ts'
import type { Continued } from '../continuing.ts'
import { type Effect, type Effects, read, tellGroup } from '../effects.ts'
import type { ContinueTopic } from '../mail.ts'
import type { GroupState } from './group-state.ts'
import { toFrame } from './missed-events.ts'

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
  const { groupId, recent, publishedSeq, members } = group
  const shown: Effect = { type: 'show_front', front, groupId, seq: event.seq, frame: toFrame(group, event) }
  const left = leaverOf(event)
  if (left !== null) return [shown, { type: 'retain', front, groupId, retained: { except: left } }]
  // If later events are not in memory, the actors of users check the membership (`check_member`).
  if (!isGap(event) || event.seq + 1 < recent.floor) return [shown]
  const later = recent.range(event.seq, publishedSeq, Number.POSITIVE_INFINITY)
  const leavers = later.flatMap((one) => leaverOf(one) ?? [])
  return [shown, { type: 'retain', front, groupId, retained: { only: [...members.keys(), ...leavers] } }]
}

function isGap(event: LoggedEvent): boolean {
  return !('message' in event) && event.code === events.gap.code
}

/** The user who left by this event, or null. */
function leaverOf(event: LoggedEvent): string | null {
  if ('message' in event || event.code !== events.user_left_group.code) return null
  const left = decodeEvent(event.frame)
  return left?.event === 'user_left_group' ? left.fields.userId : null
}
