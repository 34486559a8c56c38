/**
 * Pins: posts that a moderator or admin has pinned. At most `limits.pinnedMessages`.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import { fitRows } from '../../base/fit-rows.ts'
import type { Caller } from '../caller.ts'
import { answer, answerCommitted, change, type Effects, read, record } from '../effects.ts'
import { type GroupState, nextSeq } from './group-state.ts'
import { messageInMemory, requireNotDeleted, withMessage } from './known-messages.ts'
import { callerMay } from './permissions.ts'

export function pinMessage(
  group: GroupState,
  by: Caller,
  { messageId }: RequestFields<'pin_message'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message, at) => {
    callerMay(group, by, 'pin_message', at)
    requireNotDeleted(message)
    if (message.pinnedAt !== undefined) return [answerCommitted(by, 'ok', {})]
    if (group.pins.size >= limits.pinnedMessages) throw new ChatError('limit_reached')
    const { groupId } = group
    const seq = nextSeq(group)
    group.pins.set(message.seq, seq)
    group.unpinned.delete(message.seq)
    return [
      change(seq, message, { ...message, pinnedAt: at }),
      record(seq, at, 'message_pinned', { messageId, groupId, seq, by: by.userId, at }),
      answerCommitted(by, 'ok', {}),
    ]
  })
}

export function unpinMessage(
  group: GroupState,
  by: Caller,
  { messageId }: RequestFields<'unpin_message'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message, at) => {
    callerMay(group, by, 'unpin_message', at)
    if (message.pinnedAt === undefined) return [answerCommitted(by, 'ok', {})]
    const { groupId } = group
    const seq = nextSeq(group)
    removePin(group, message.seq)
    return [
      change(seq, message, { ...message, pinnedAt: undefined }),
      record(seq, at, 'message_unpinned', { messageId, groupId, seq, by: by.userId, at }),
      answerCommitted(by, 'ok', {}),
    ]
  })
}

/** The post is pinned no more, which members see once the event is shown. */
export function removePin({ pins, unpinned, changed }: GroupState, seq: number): void {
  const pinSeq = pins.get(seq)
  if (pinSeq === undefined) return
  for (const earlier of unpinned.keys()) if (!changed.find(earlier)) unpinned.delete(earlier)
  pins.delete(seq)
  unpinned.set(seq, pinSeq)
}

/** The latest pin first, in pages. The cursor is the event of the last listed pin (PAG-1). */
export function getPins(
  group: GroupState,
  by: Caller,
  { cursor, limit = limits.pinnedMessages }: RequestFields<'get_pins'>,
  now: number,
): Effects {
  callerMay(group, by, 'get_pins', now)
  const before = cursor === undefined ? Number.POSITIVE_INFINITY : parseCursor(cursor)
  const { groupId } = group
  return [
    read({ read: 'pins', groupId }, by, (stored) => {
      const bySeq = new Map(stored.map((message) => [message.seq, message]))
      const pinned = [...group.pins, ...group.unpinned]
        .filter(([, pinSeq]) => pinSeq < before)
        .sort(([, one], [, other]) => other - one)
        .flatMap(([seq]) => messageInMemory(group, seq) ?? bySeq.get(seq) ?? [])
        .map((message) => group.changed.shown(message, group.publishedSeq))
        .filter(({ pinnedAt }) => pinnedAt !== undefined)
      const { rows, hasMore } = fitRows(pinned, limit)
      const last = hasMore ? rows.at(-1) : undefined
      const end = last && (group.pins.get(last.seq) ?? group.unpinned.get(last.seq))
      return [answer(by, 'pins', { groupId, messages: rows, cursor: end?.toString() })]
    }),
  ]
}

function parseCursor(cursor: string): number {
  if (!/^\d{1,16}$/.test(cursor)) {
    throw new ChatError('bad_request', 'cursor must be the cursor of an earlier page', { field: 'cursor' })
  }
  return Number(cursor)
}
