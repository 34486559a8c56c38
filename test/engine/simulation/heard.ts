/**
 * Heard: whether what a device hears unasked is so, and is its business.
 */
import type { Event } from '../../../protocol/events.ts'
import { groupOfId, parseMessageId } from '../../../protocol/ids.ts'
import type { Message } from '../../../protocol/records.ts'
import { sameMessage } from './answers.ts'
import { type GroupModel, seqOf } from './group-model.ts'
import type { Oracle } from './oracle.ts'
import { isGone } from './rules.ts'
import { Violation } from './violation.ts'

/** @throws Violation */
export function judgeHeard(oracle: Oracle, userId: string, event: Event): void {
  const wrong = (why: string) =>
    new Violation(`${userId} heard ${event.event} ${JSON.stringify(event.fields)}: ${why}`)
  const somewhen = (groupId: string, right: (group: GroupModel) => unknown) =>
    oracle.lately(groupId).some((group) => right(group))
  switch (event.event) {
    case 'new_message': {
      const { message } = event.fields
      const states = new Set<Message | undefined>()
      for (const group of oracle.lately(message.groupId)) states.add(group.messages.get(message.seq))
      if (![...states].some((state) => sameMessage(state, message))) throw wrong('it was not so of late')
      return
    }
    case 'message_edited': {
      const { messageId, groupId, content } = event.fields
      const { seq } = parseMessageId(messageId)
      const real = oracle.event(groupId, seqOf(event))
      const same = real?.event === 'message_edited' && real.fields.content === content
      if (content === '' && somewhen(groupId, ({ messages }) => isGone(messages.get(seq)))) return
      if (!same) throw wrong('it says something else')
      if (!somewhen(groupId, ({ messages }) => !isGone(messages.get(seq)))) throw wrong('the message is gone')
      return
    }
    case 'message_delivered':
    case 'message_read': {
      const { fields } = event
      const kind = 'readBy' in fields ? 'read' : 'delivered'
      const who = 'readBy' in fields ? fields.readBy : fields.deliveredTo
      const right = (messageId: string) => {
        const { groupId, seq } = parseMessageId(messageId)
        return somewhen(groupId, ({ messages, receipts }) => {
          const given = receipts.get(who)
          if (who === userId) return kind === 'read' && (given?.read.has(seq) || (given?.readSeq ?? 0) >= seq)
          return messages.get(seq)?.senderId === userId && given?.[kind].has(seq)
        })
      }
      if (!fields.messageIds.every(right)) throw wrong('it was not so, or is not theirs to know')
      return
    }
    case 'marked_unread':
      // It may be read again by now.
      if (!somewhen(event.fields.groupId, ({ receipts }) => receipts.has(userId)))
        throw wrong('nothing was read')
      return
    case 'group_invited':
      if (!somewhen(event.fields.groupId, ({ invited }) => invited.has(userId))) throw wrong('they were not')
      return
    case 'user_typing':
    case 'user_stopped_typing':
    case 'signal':
      if (!somewhen(event.fields.groupId, ({ members }) => members.has(userId))) throw wrong('no member')
      return
    default: {
      const { fields } = event
      if (!('seq' in fields) || !('groupId' in fields) || event.ref !== 0) return
      const real = oracle.event(groupOfId(String(fields.groupId)), Number(fields.seq))
      if (!alike(real?.fields, fields)) throw wrong(`the log has ${JSON.stringify(real?.fields)}`)
    }
  }
}

/** The same on the wire, where what is absent is null. */
function alike(one: unknown, other: unknown): boolean {
  const plain = (value: unknown) => JSON.stringify(value, (_, part: unknown) => part ?? undefined)
  return plain(one) === plain(other)
}
