/**
 * Catch-up: how a session gets what it has not seen of a group, each event once (SPEC 5.4).
 *
 * `attach` brings a session from where `connected` said the group stands to the live stream, in
 * one step of this group's one stream, so that nothing falls between. `replay` brings what was
 * missed before that, up to the same point, a piece at a time as the connection drains.
 */
import { encodeEvent } from '../../../protocol/codec.ts'
import { limits } from '../../../protocol/limits.ts'
import type { LoggedEvent } from '../../storage/log.ts'
import { type Effect, type Effects, read, sendFrame, tellUser } from '../effects.ts'
import type { GroupMail } from '../mail.ts'
import type { GroupState } from './group-state.ts'

/** A piece of a replay; small against the hard limit of a connection's buffer. */
const PIECE_EVENTS = 200
const PIECE_BYTES = 128 * 1024

type Attach = Extract<GroupMail, { type: 'attach' }>
type Replay = Extract<GroupMail, { type: 'replay' }>

export function attach(group: GroupState, mail: Attach): Effects {
  const { session, userId, joinedSeq, from } = mail
  if (group.members.get(userId)?.joinedSeq !== joinedSeq) return []
  const { groupId, publishedSeq, recent } = group
  if (from + 1 >= recent.floor || from >= publishedSeq) {
    const missed = from >= publishedSeq ? [] : recent.range(from, publishedSeq, Number.POSITIVE_INFINITY)
    return [
      ...missed.map((event) => sendFrame(session, toFrame(event))),
      { type: 'subscribe', session, groupId },
    ]
  }
  const upTo = recent.floor - 1
  return [
    read({ read: 'events', groupId, after: from, upTo, limit: PIECE_EVENTS }, null, (events) => {
      const reached = events.length < PIECE_EVENTS ? upTo : (events.at(-1)?.seq ?? upTo)
      return [
        ...events.map((event) => sendFrame(session, toFrame(event))),
        ...attach(group, { ...mail, from: reached }),
      ]
    }),
  ]
}

export function replay(group: GroupState, mail: Replay): Effects {
  const { from, to, userId } = mail
  const { groupId, recent } = group
  if (!group.members.has(userId)) return [replayed(group.groupId, mail, null)]
  if (from >= to) return [replayed(groupId, mail, true)]
  // Numbers may jump, so that only many numbers may be many events.
  if (!mail.counted && to - from > limits.resumeEvents) {
    const cap = limits.resumeEvents + 1
    return [
      read({ read: 'count', groupId, after: from, upTo: to, cap }, null, (count) =>
        count < cap ? replay(group, { ...mail, counted: true }) : [replayed(groupId, mail, false)],
      ),
    ]
  }
  if (from + 1 >= recent.floor) {
    return sendPiece(groupId, mail, recent.range(from, to, PIECE_EVENTS), to)
  }
  const upTo = Math.min(to, recent.floor - 1)
  return [
    read({ read: 'events', groupId, after: from, upTo, limit: PIECE_EVENTS }, null, (events) =>
      sendPiece(groupId, mail, events, upTo),
    ),
  ]
}

/** Ends a replay: tells the user's actor, which answers the session when all groups have. */
export function replayed(groupId: string, { session, userId, to }: Replay, complete: boolean | null): Effect {
  return tellUser(userId, { type: 'replayed', session, groupId, lastSeq: to, complete })
}

/** Sends events, of which there are no more up to `upTo` where they are fewer than a piece. */
function sendPiece(groupId: string, mail: Replay, events: readonly LoggedEvent[], upTo: number): Effects {
  const { session } = mail
  const effects: Effect[] = []
  let bytes = 0
  let reached = events.length < PIECE_EVENTS ? upTo : (events.at(-1)?.seq ?? upTo)
  for (const [i, event] of events.entries()) {
    const frame = toFrame(event)
    effects.push(sendFrame(session, frame))
    bytes += frame.length
    if (bytes >= PIECE_BYTES && i < events.length - 1) {
      reached = event.seq
      break
    }
  }
  if (reached >= mail.to) effects.push(replayed(groupId, mail, true))
  else effects.push({ type: 'when_drained', session, groupId, mail: { ...mail, from: reached } })
  return effects
}

function toFrame(event: LoggedEvent): Uint8Array {
  return 'message' in event ? encodeEvent('new_message', 0, { message: event.message }) : event.frame
}
