/**
 * Received: checks that an unrequested event is true, and that the device may receive it.
 */
import type { Event } from '../../../protocol/events.ts'
import { groupOfId, parseMessageId } from '../../../protocol/ids.ts'
import type { Message } from '../../../protocol/records.ts'
import { sameMessage } from './answers.ts'
import { type GroupModel, seqOf } from './group-model.ts'
import type { Oracle } from './oracle.ts'
import { isRemoved } from './rules.ts'
import { Violation } from './violation.ts'

/** @throws Violation */
export function checkReceived(oracle: Oracle, userId: string, event: Event): void {
  const wrong = (why: string) =>
    new Violation(`${userId} received ${event.event} ${JSON.stringify(event.fields)}: ${why}`)
  const somewhen = (groupId: string, right: (group: GroupModel) => unknown) =>
    oracle.lately(groupId).some((group) => right(group))
  switch (event.event) {
    case 'new_message': {
      const { message } = event.fields
      const states = new Set<Message | undefined>()
      for (const group of oracle.lately(message.groupId)) states.add(group.messages.get(message.seq))
      if (![...states].some((state) => sameMessage(state, message)))
        throw wrong('the message did not have this content recently')
      return
    }
    case 'message_edited': {
      const { messageId, groupId, content } = event.fields
      const { seq } = parseMessageId(messageId)
      const real = oracle.event(groupId, seqOf(event))
      if (real?.event !== 'message_edited') throw wrong('there was no edit')
      // A replay contains the current text. // PRV-3
      const isNow = () => somewhen(groupId, ({ messages }) => messages.get(seq)?.content === content)
      const same = real.fields.content === content || isNow()
      if (content === '' && somewhen(groupId, ({ messages }) => isRemoved(messages.get(seq)))) return
      if (!same) throw wrong('the text is another')
      if (!somewhen(groupId, ({ messages }) => !isRemoved(messages.get(seq))))
        throw wrong('the message is deleted')
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
      if (!fields.messageIds.every(right)) throw wrong('it was not so, or the user may not know it')
      return
    }
    case 'marked_unread':
      // It may have been read again since.
      if (!somewhen(event.fields.groupId, ({ receipts }) => receipts.has(userId)))
        throw wrong('nothing was read')
      return
    case 'group_invited':
      if (oracle.blocks.apart(userId, event.fields.by) === 'yes') throw wrong('one has blocked the other')
      if (!somewhen(event.fields.groupId, ({ invited }) => invited.has(userId)))
        throw wrong('they were not invited')
      return
    case 'user_typing':
    case 'signal': {
      const { groupId } = event.fields
      const by = event.event === 'signal' ? event.fields.fromUserId : event.fields.userId
      if (oracle.blocks.apart(userId, by) === 'yes') throw wrong('one has blocked the other')
      const isShown = ({ members, approached }: GroupModel) => members.has(userId) && !approached.has(by)
      if (!somewhen(groupId, isShown)) throw wrong('not a member, or not accepted')
      return
    }
    case 'user_stopped_typing':
      if (!somewhen(event.fields.groupId, ({ members }) => members.has(userId))) throw wrong('not a member')
      return
    case 'group_created':
    case 'group_updated': {
      const { groupId } = event.fields
      const real = oracle.event(groupId, seqOf(event))
      const isNow = (current: GroupModel) => {
        // A replay contains the current name, topic and avatar. // PRV-3
        const texts = { name: current.name, topic: current.topic, avatarUrl: current.avatarUrl }
        return real && sameTexts(event, real, texts)
      }
      if (!alike(real?.fields, event.fields) && !somewhen(groupId, isNow)) {
        throw wrong(`the log has ${JSON.stringify(real?.fields)}`)
      }
      return
    }
    default: {
      const { fields } = event
      if (!('seq' in fields) || !('groupId' in fields) || event.ref !== 0) return
      const real = oracle.event(groupOfId(String(fields.groupId)), Number(fields.seq))
      if (!alike(real?.fields, fields)) throw wrong(`the log has ${JSON.stringify(real?.fields)}`)
    }
  }
}

type Texts = Pick<GroupModel, 'name' | 'topic' | 'avatarUrl'>

/** Whether it is the real event with its texts replaced by these. */
function sameTexts(shown: Event, real: Event, now: Texts): boolean {
  if (real.event === 'group_created') {
    const wanted = { ...real.fields, group: { ...real.fields.group, ...emptyAsAbsent(now) } }
    return alike(wanted, shown.fields)
  }
  if (real.event !== 'group_updated') return false
  const named = Object.keys(now).filter((text) => (real.fields[text as keyof Texts] ?? null) !== null)
  const texts = Object.fromEntries(named.map((text) => [text, now[text as keyof Texts] ?? '']))
  return alike({ ...real.fields, ...texts }, shown.fields)
}

function emptyAsAbsent({ name, topic, avatarUrl }: Texts): object {
  return { name: name || undefined, topic: topic || undefined, avatarUrl: avatarUrl || undefined }
}

/**
 * Equal on the wire, where an absent field is null. A replay contains the current name of a user: in
 * the simulation their id in capitals, or the id if no token has named them. // IDN-2
 */
function alike(one: unknown, other: unknown): boolean {
  const inOrder = (part: object) => {
    const { userId } = part as { readonly userId?: unknown }
    const nameless = ([key, value]: [string, unknown]) =>
      (key === 'name' || key === 'userName') && value === String(userId).toUpperCase()
        ? [key, userId]
        : [key, value]
    return Object.fromEntries(Object.entries(part).map(nameless).sort())
  }
  const plain = (value: unknown) =>
    JSON.stringify(value, (_, part: unknown) =>
      part !== null && typeof part === 'object' && !Array.isArray(part) ? inOrder(part) : (part ?? undefined),
    )
  return plain(one) === plain(other)
}
