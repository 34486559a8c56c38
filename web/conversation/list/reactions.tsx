/**
 * The reactions to a message: a click adds or removes the user's own, a long press or the menu shows who.
 */

import type { MessageItem } from '../../../client/store/types.ts'
import type { Reaction } from '../../../protocol/records.ts'
import { useShell } from '../../shell.ts'
import { useList } from './list-context.ts'

/** Names in the tooltip of a reaction. */
const MAX_NAMES = 8

export function Reactions({ item }: { readonly item: MessageItem }) {
  const { texts, format } = useShell()
  const { me, nameOf, react, showReactions } = useList()
  const who = ({ userIds, count }: Reaction) => {
    const names = userIds.slice(0, MAX_NAMES).map((id) => (id === me ? texts.shell.you : nameOf(id)))
    const more = count - names.length
    return format.list(more > 0 ? [...names, texts.conversation.others(more)] : names)
  }
  return (
    <div class="reactions">
      {item.reactions.map((reaction) => {
        const isMine = reaction.userIds.includes(me)
        return (
          <button
            key={reaction.emoji}
            type="button"
            class={isMine ? 'reaction reaction-mine' : 'reaction'}
            tabIndex={-1}
            aria-pressed={isMine}
            title={who(reaction)}
            onClick={() => react(item, reaction.emoji)}
            onContextMenu={(event) => {
              event.preventDefault()
              event.stopPropagation()
              showReactions(item)
            }}
          >
            <span class="reaction-emoji">{reaction.emoji}</span>
            <span>{format.number(reaction.count)}</span>
            <span class="visually-hidden">: {who(reaction)}</span>
          </button>
        )
      })}
    </div>
  )
}
