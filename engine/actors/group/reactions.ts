/**
 * Reactions: emoji of members on a post, each once per member (RCT-1). Different forms of an emoji are
 * one reaction; stored reactions of older versions are converted with their next change. Any number of
 * members may react, with `limits.reactionEmoji` different emoji; above that `limit_reached`. All reactions
 * are stored, records list some of the users.
 */
import { ChatError } from '../../../protocol/errors.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Message, Reaction } from '../../../protocol/records.ts'
import type { RequestFields } from '../../../protocol/requests.ts'
import type { Caller } from '../caller.ts'
import { answerCommitted, change, type Effects, record } from '../effects.ts'
import { accept } from './contact.ts'
import { reactionKey } from './emoji.ts'
import { type GroupState, nextSeq } from './group-state.ts'
import { requireNotDeleted, withMessage } from './known-messages.ts'
import { callerMay } from './permissions.ts'

export function react(
  group: GroupState,
  by: Caller,
  { messageId, emoji: written }: RequestFields<'react'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message, at) => {
    callerMay(group, by, 'react', at)
    requireNotDeleted(message)
    const emoji = reactionKey(written)
    if (emoji === null) {
      throw new ChatError('bad_request', 'emoji must be one emoji or a custom :name:', { field: 'emoji' })
    }
    const reactions = inOneForm(message.reactions ?? [])
    if (hasReacted(reactions, emoji, by)) return [answerCommitted(by, 'ok', {})]
    const known = reactions.find((reaction) => reaction.emoji === emoji)
    if (!known && reactions.length >= limits.reactionEmoji) {
      throw new ChatError('limit_reached', undefined, { field: 'emoji' })
    }
    const more = known
      ? reactions.map((one) => (one === known ? reactionOf(emoji, [...one.userIds, by.userId]) : one))
      : [...reactions, reactionOf(emoji, [by.userId])]
    const effects = changed(group, by, message, more, { emoji, added: true }, at)
    return [...accept(group, by.userId), ...effects] // PRV-2
  })
}

export function unreact(
  group: GroupState,
  by: Caller,
  { messageId, emoji: written }: RequestFields<'unreact'>,
  now: number,
): Effects {
  return withMessage(group, by, messageId, now, (message, at) => {
    callerMay(group, by, 'unreact', at)
    requireNotDeleted(message)
    // A text that older versions accepted as a reaction can still be removed.
    const emoji = reactionKey(written) ?? written
    const reactions = inOneForm(message.reactions ?? [])
    if (!hasReacted(reactions, emoji, by)) return [answerCommitted(by, 'ok', {})]
    const fewer = reactions
      .map((one) =>
        one.emoji === emoji
          ? reactionOf(
              emoji,
              one.userIds.filter((userId) => userId !== by.userId),
            )
          : one,
      )
      .filter(({ count }) => count > 0)
    return changed(group, by, message, fewer, { emoji, added: false }, at)
  })
}

/** The reactions with one record per emoji, for all stored forms. */
function inOneForm(reactions: readonly Reaction[]): readonly Reaction[] {
  const users = new Map<string, string[]>()
  for (const { emoji, userIds } of reactions) {
    const key = reactionKey(emoji) ?? emoji
    users.set(key, [...(users.get(key) ?? []), ...userIds])
  }
  return Array.from(users, ([emoji, userIds]) => reactionOf(emoji, [...new Set(userIds)]))
}

function reactionOf(emoji: string, userIds: readonly string[]): Reaction {
  return { emoji, userIds, count: userIds.length }
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
