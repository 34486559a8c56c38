/**
 * Reactions: members' emoji on a post, each of a member's once (SPEC 3). Bounded by
 * `limits.reactionEmoji` and `limits.reactions`; over them `limit_reached`.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message, Reaction } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, change, type Effects, record } from '../effects.ts'
import { type GroupState, nextSeq } from './group-state.ts'
import { refuseGone, withMessage } from './known-messages.ts'
import { callerMay } from './permissions.ts'

export function react(
  group: GroupState,
  by: Caller,
  { messageId, emoji }: RequestFields<'react'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message, at) => {
    callerMay(group, by, 'react', at)
    refuseGone(message)
    const reactions = message.reactions ?? []
    if (hasReacted(reactions, emoji, by)) return [answerCommitted(by, 'ok', {})]
    const known = reactions.some((reaction) => reaction.emoji === emoji)
    const total = reactions.reduce((sum, { userIds }) => sum + userIds.length, 0)
    if (total >= limits.reactions || (!known && reactions.length >= limits.reactionEmoji)) {
      throw new ChatError('limit_reached', undefined, { field: 'emoji' })
    }
    const more = known
      ? reactions.map((one) => (one.emoji === emoji ? { emoji, userIds: [...one.userIds, by.userId] } : one))
      : [...reactions, { emoji, userIds: [by.userId] }]
    return changed(group, by, message, more, { emoji, added: true }, at)
  })
}

export function unreact(
  group: GroupState,
  by: Caller,
  { messageId, emoji }: RequestFields<'unreact'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message, at) => {
    callerMay(group, by, 'unreact', at)
    refuseGone(message)
    const reactions = message.reactions ?? []
    if (!hasReacted(reactions, emoji, by)) return [answerCommitted(by, 'ok', {})]
    const fewer = reactions
      .map((one) =>
        one.emoji === emoji ? { emoji, userIds: one.userIds.filter((id) => id !== by.userId) } : one,
      )
      .filter(({ userIds }) => userIds.length > 0)
    return changed(group, by, message, fewer, { emoji, added: false }, at)
  })
}

function hasReacted(reactions: readonly Reaction[], emoji: string, { userId }: Caller): boolean {
  return reactions.some((reaction) => reaction.emoji === emoji && reaction.userIds.includes(userId))
}

function changed(
  group: GroupState,
  by: Caller,
  message: Message,
  reactions: readonly Reaction[],
  what: { readonly emoji: string; readonly added: boolean },
  at: number,
): Effects {
  const { groupId } = group
  const { messageId } = message
  const seq = nextSeq(group)
  return [
    change(seq, message, { ...message, reactions: reactions.length > 0 ? reactions : undefined }),
    record(seq, at, 'reaction_changed', { messageId, ...what, groupId, seq, by: by.userId, at }),
    answerCommitted(by, 'ok', {}),
  ]
}
