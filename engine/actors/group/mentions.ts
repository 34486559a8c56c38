/**
 * Mentions: the members that a post mentions, in its current state (MEN-1).
 *
 * A mention is a user id beside the text; only members are mentioned, each once. A reply always mentions
 * the sender of the post that it replies to. An edit without `mentions` retains those that are still in
 * the text: `@` and the id, the name or the first word of the name. A mention that the old text did not
 * contain in any of these forms is retained, because the text does not show whether it was removed.
 */
import type { Message } from '../../../protocol/records.ts'
import type { GroupState } from './group-state.ts'

/** The mentions of a post by `senderId`; undefined if there are none. */
export function mentionsOf(
  group: GroupState,
  senderId: string,
  userIds: readonly string[],
  repliedTo: Message | undefined,
): readonly string[] | undefined {
  const replied = repliedTo && repliedTo.senderId !== senderId ? [repliedTo.senderId] : []
  const mentioned = [...new Set([...userIds, ...replied])].filter((userId) => group.members.has(userId))
  return mentioned.length > 0 ? mentioned : undefined
}

/** The message's mentions that the new content still contains. */
export function stillWritten(group: GroupState, message: Message, content: string): readonly string[] {
  return (message.mentions ?? []).filter((userId) => {
    const forms = formsOf(userId, group.members.get(userId)?.name)
    return isWritten(content, forms) || !isWritten(message.content, forms)
  })
}

function formsOf(userId: string, name: string | undefined): readonly string[] {
  const firstWord = name?.split(/\s/u, 1)[0]
  return [userId, name, firstWord].flatMap((form) => (form ? [form.toLowerCase()] : []))
}

/** Whether the text contains `@` and one of the forms, not only as the beginning of a longer word. */
function isWritten(content: string, forms: readonly string[]): boolean {
  const text = content.toLowerCase()
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const start = opening.test(text.charAt(at + 1)) ? at + 2 : at + 1
    if (forms.some((form) => text.startsWith(form, start) && !goesOn.test(text.slice(start + form.length)))) {
      return true
    }
  }
  return false
}

/** `@[Ana]`, `@{ana}`, `@"Ana"`. */
const opening = /[[{(<"']/
const goesOn = /^(?:[\p{L}\p{M}\p{N}_]|[-.@'][\p{L}\p{N}])/u
