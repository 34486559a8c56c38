/**
 * Missed events: sends a session the events of a group that it has not seen, each once (CUP-1).
 *
 * `attach` continues from the position in `connected` to the live stream. It is one step of the group's
 * actor, so that no event is missed in between. `replay` sends the events missed before that, up to the
 * same position, in pieces as the connection drains.
 */
import { decodeEvent, encodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import type { LoggedEvent } from '../../stored/stored-group.ts'
import { type Effect, type Effects, read, sendFrame, tellUser } from '../effects.ts'
import type { Attach, GroupMail } from '../mail.ts'
import type { GroupState } from './group-state.ts'
import { shownEvent } from './known-messages.ts'

/** Size of a piece of a replay; small compared with the hard limit of a connection's buffer. */
const PIECE_EVENTS = 200
const PIECE_BYTES = 128 * 1024

type Replay = Extract<GroupMail, { type: 'replay' }>

export function attach(group: GroupState, mail: Attach): Effects {
  const { session, from } = mail
  if (!isStillMember(group, mail)) return farewell(group, mail)
  const { groupId, publishedSeq, recent } = group
  if (from + 1 >= recent.floor || from >= publishedSeq) {
    const missed = from >= publishedSeq ? [] : recent.range(from, publishedSeq, Number.POSITIVE_INFINITY)
    return [
      ...missed.map((event) => toSession(group, session, event)),
      { type: 'subscribe', session, groupId, after: Math.max(from, publishedSeq) },
    ]
  }
  return readOlder(group, session, from, recent.floor - 1, (older, reached) => [
    ...older.map((event) => toSession(group, session, event)),
    ...attach(group, { ...mail, from: reached }),
  ])
}

/** Whether the membership is still the one that `attach` was sent for: the user has not left or rejoined. */
export function isStillMember(group: GroupState, { userId, joinedSeq }: Attach): boolean {
  return group.members.get(userId)?.joinedSeq === joinedSeq
}

/**
 * The user left before the session was attached: it still receives all events up to the leave, or the gap that
 * took `from` itself and so the membership (GAP-1). Nothing if that was before `from`: a later membership is
 * attached separately. The end is searched above `after`; it is `end` if nothing follows there.
 */
function farewell(
  group: GroupState,
  mail: Attach,
  after = Math.max(mail.joinedSeq, Math.min(mail.from, group.recent.floor - 1)),
  end = mail.from,
): Effects {
  const { members, recent, publishedSeq } = group
  const { session, userId, from } = mail
  // What is read would come after the events of a later membership.
  if (from + 1 < recent.floor && members.has(userId)) return [{ type: 'close', session, reason: 'failed' }]
  if (after + 1 >= recent.floor) {
    return sendUpTo(group, session, from, endOf(recent.walk(after, publishedSeq, false), mail, end).end)
  }
  return readOlder(group, session, after, recent.floor - 1, (older, reached) => {
    const found = endOf(older, mail, end)
    return found.isFinal
      ? sendUpTo(group, session, from, found.end)
      : farewell(group, mail, reached, found.end)
  })
}

/** Where a membership ends in these events, the first ones after its begin or `from`; otherwise `end`. */
function endOf(
  logged: Iterable<LoggedEvent>,
  { userId, from }: Attach,
  end: number,
): { readonly end: number; readonly isFinal: boolean } {
  let last = end
  for (const event of logged) {
    const change = membershipBy(event)
    if (change?.userId === userId) return { end: change.isMember ? last : event.seq, isFinal: true }
    if (tookBack(event, from)) last = event.seq
  }
  return { end: last, isFinal: false }
}

/** Sends the events with `from < seq <= end`. */
function sendUpTo(group: GroupState, session: number, from: number, end: number): Effects {
  const { recent } = group
  if (from >= end) return []
  if (from + 1 >= recent.floor) {
    return recent.range(from, end, Number.POSITIVE_INFINITY).map((event) => toSession(group, session, event))
  }
  return readOlder(group, session, from, Math.min(end, recent.floor - 1), (older, reached) => [
    ...older.map((event) => toSession(group, session, event)),
    ...sendUpTo(group, session, reached, end),
  ])
}

/** Reads a piece of the events with `after < seq <= upTo` from the log, and up to where that has all of them. */
function readOlder(
  { groupId }: GroupState,
  session: number,
  after: number,
  upTo: number,
  then: (older: readonly LoggedEvent[], reached: number) => Effects,
): Effects {
  return [
    read({ read: 'events', groupId, after, upTo, limit: PIECE_EVENTS }, { session }, (older) =>
      then(older, older.length < PIECE_EVENTS ? upTo : (older.at(-1)?.seq ?? upTo)),
    ),
  ]
}

/** The user who joined or left by this event, or null. */
export function membershipBy(
  event: LoggedEvent,
): { readonly userId: string; readonly isMember: boolean } | null {
  if ('message' in event) return null
  const { user_joined_group: joined, user_left_group: left } = events
  if (event.code !== joined.code && event.code !== left.code) return null
  const entered = decodeEvent(event.frame)
  if (entered?.event !== 'user_joined_group' && entered?.event !== 'user_left_group') return null
  return { userId: entered.fields.userId, isMember: event.code === joined.code }
}

export function isGap(event: LoggedEvent): event is Extract<LoggedEvent, { code: number }> {
  return !('message' in event) && event.code === events.gap.code
}

/** Whether a crash took the event with this seq. */
function tookBack(logged: LoggedEvent, seq: number): boolean {
  if (!isGap(logged)) return false
  const gap = decodeEvent(logged.frame)
  return gap?.event === 'gap' && gap.fields.from <= seq
}

export function replay(group: GroupState, mail: Replay): Effects {
  const { session, from, to, userId } = mail
  const { groupId, recent } = group
  if (!group.members.has(userId)) return [replayed(group.groupId, mail, null)]
  if (from >= to) return [replayed(groupId, mail, true)]
  // Numbers may have gaps, so that only many numbers can be many events.
  if (!mail.counted && to - from > limits.resumeEvents) {
    const cap = limits.resumeEvents + 1
    return [
      read({ read: 'count', groupId, after: from, upTo: to, cap }, { session }, (count) =>
        count < cap ? replay(group, { ...mail, counted: true }) : [replayed(groupId, mail, false)],
      ),
    ]
  }
  if (from + 1 >= recent.floor) {
    return sendPiece(group, mail, recent.range(from, to, PIECE_EVENTS), to)
  }
  const upTo = Math.min(to, recent.floor - 1)
  return [
    read({ read: 'events', groupId, after: from, upTo, limit: PIECE_EVENTS }, { session }, (older) =>
      sendPiece(group, mail, older, upTo),
    ),
  ]
}

/** Ends a replay: notifies the user's actor, which answers the session when all groups have finished. */
export function replayed(groupId: string, { session, userId, to }: Replay, complete: boolean | null): Effect {
  return tellUser(userId, { type: 'replayed', session, groupId, lastSeq: to, complete })
}

/** Sends events. If they are fewer than a piece, they are the last ones up to `upTo`. */
function sendPiece(group: GroupState, mail: Replay, piece: readonly LoggedEvent[], upTo: number): Effects {
  const { groupId } = group
  const { session } = mail
  const effects: Effect[] = []
  let bytes = 0
  let reached = piece.length < PIECE_EVENTS ? upTo : (piece.at(-1)?.seq ?? upTo)
  for (const [i, event] of piece.entries()) {
    const frame = toFrame(group, event)
    effects.push(sendFrame(session, groupId, event.seq, frame, true))
    bytes += frame.length
    if (bytes >= PIECE_BYTES && i < piece.length - 1) {
      reached = event.seq
      break
    }
  }
  // The events must drain before the next group's turn, too (INP-2).
  if (reached >= mail.to && piece.length === 0) effects.push(replayed(groupId, mail, true))
  else effects.push({ type: 'when_drained', session, groupId, mail: { ...mail, from: reached } })
  return effects
}

function toSession(group: GroupState, session: number, event: LoggedEvent): Effect {
  return sendFrame(session, group.groupId, event.seq, toFrame(group, event), false)
}

/** The frame of an event, with the texts as they are now. */
export function toFrame(group: GroupState, logged: LoggedEvent): Uint8Array {
  const event = shownEvent(group, logged)
  return 'message' in event ? encodeEvent('new_message', 0, { message: event.message }) : event.frame
}
