/**
 * A message in the list: who, what, when, its state and its reactions.
 *
 * Nothing in it is a Tab stop: the row has the focus, and every action is in its menu, by keys, hover
 * buttons, a right click or a long press.
 */
import { useMemo, useState } from 'preact/hooks'
import type { MessageItem, QuotedMessage } from '../../../client/store/types.ts'
import { useShell } from '../../shell.ts'
import { MessageFile } from '../../talk/message-file.tsx'
import { plainText } from '../../text/blocks.ts'
import { directionOf } from '../../text/direction.ts'
import { MessageText } from '../../text/message-text.tsx'
import { Avatar } from '../../ui/avatar.tsx'
import { IconButton } from '../../ui/button.tsx'
import { colourOf } from '../../ui/colour-of.ts'
import { Icon } from '../../ui/icon.tsx'
import { useList } from './list-context.ts'
import { isDeleted } from './message-actions.ts'
import { MessageMeta } from './message-meta.tsx'
import { Reactions } from './reactions.tsx'
import type { MessageRow as Row } from './rows.ts'
import { summaryOf } from './sentences.ts'

export function MessageRow({ row }: { readonly row: Row }) {
  const { item, isFirst, isLast } = row
  const { isDirect, openPerson } = useList()
  const { texts } = useShell()
  // The buttons are made for the message under the pointer only: while the reader scrolls, each row counts.
  const [isPointed, setPointed] = useState(false)
  const hasAuthor = isFirst && !item.mine && !isDirect
  const name = item.sender.name || item.sender.userId
  return (
    <div
      class={`message${item.mine ? ' message-mine' : ''}${isFirst ? ' message-first' : ''}${isLast ? ' message-last' : ''}`}
      onPointerEnter={({ pointerType }) => setPointed(pointerType !== 'touch')}
      onPointerLeave={() => setPointed(false)}
    >
      {!item.mine && !isDirect && (
        <div class="message-avatar">
          {isLast && <Avatar id={item.sender.userId} name={name} picture={item.sender.picture} size={32} />}
        </div>
      )}
      <div class="message-column">
        <div
          dir={directionOf(item.content)}
          class={`bubble${isDeleted(item) ? ' bubble-deleted' : ''}${item.state === 'failed' ? ' bubble-failed' : ''}${item.mentionsMe && !item.mine ? ' bubble-mention' : ''}`}
        >
          {hasAuthor && (
            <button
              type="button"
              class={`author author-${colourOf(item.sender.userId)}`}
              tabIndex={-1}
              onClick={() => openPerson(item.sender.userId)}
            >
              {name}
            </button>
          )}
          <Content item={item} />
          <MessageMeta item={item} />
        </div>
        {!isDeleted(item) && item.reactions.length > 0 && <Reactions item={item} />}
        {item.state === 'failed' && <Failed item={item} />}
      </div>
      {isPointed && item.messageId !== undefined && !isDeleted(item) && (
        <HoverBar item={item} label={texts.conversation.actions} />
      )}
    </div>
  )
}

function Content({ item }: { readonly item: MessageItem }) {
  const { texts } = useShell()
  const { me, mentionablesOf, openPerson, copy } = useList()
  const mentions = useMemo(() => mentionablesOf(item), [item, mentionablesOf])
  if (isDeleted(item)) {
    const text = item.recalledAt === undefined ? texts.shell.deletedMessage : texts.shell.recalledMessage
    return (
      <p class="text tombstone">
        <Icon name="block" size={16} /> {text}
      </p>
    )
  }
  return (
    <>
      {item.replyToId !== undefined && <Quote id={item.replyToId} quoted={item.replyTo} />}
      {(item.file || item.uploadId !== undefined || item.type !== 'text') && <MessageFile item={item} />}
      {item.content !== '' && (
        <MessageText
          text={item.content}
          mentions={mentions}
          me={me}
          onMention={openPerson}
          onCopy={copy}
          copyLabel={texts.conversation.copy}
        />
      )}
    </>
  )
}

function Quote({ id, quoted }: { readonly id: string; readonly quoted: QuotedMessage | undefined }) {
  const { texts } = useShell()
  const { jumpTo } = useList()
  return (
    <button type="button" class="quote" tabIndex={-1} onClick={() => jumpTo(id)}>
      {quoted ? (
        <>
          <span class={`quote-author author-${colourOf(quoted.sender.userId)}`}>
            {quoted.sender.name || quoted.sender.userId}
          </span>
          <span class="quote-text">
            {quoted.isDeleted
              ? texts.shell.deletedMessage
              : plainText(quoted.content, 140) || summaryOf(quoted, texts)}
          </span>
        </>
      ) : (
        <span class="quote-text">{texts.conversation.quotedMessage}</span>
      )}
    </button>
  )
}

function Failed({ item }: { readonly item: MessageItem }) {
  const { texts } = useShell()
  const { run } = useList()
  const reason = item.failure ? (texts.shell.reasons[item.failure.code] ?? item.failure.message) : ''
  return (
    <p class="message-failure">
      <Icon name="alert" size={16} />
      <span>
        {texts.conversation.notSent} {reason}
      </span>
      <button type="button" class="link-button" tabIndex={-1} onClick={() => run('retry', item)}>
        {texts.shell.retry}
      </button>
      <button type="button" class="link-button" tabIndex={-1} onClick={() => run('discard', item)}>
        {texts.conversation.discard}
      </button>
    </p>
  )
}

function HoverBar({ item, label }: { readonly item: MessageItem; readonly label: string }) {
  const { texts } = useShell()
  const { run, openMenu } = useList()
  return (
    <div class="hover-bar" aria-hidden="true">
      <IconButton
        icon="smile"
        label={texts.conversation.react}
        tabIndex={-1}
        onClick={() => run('react', item)}
      />
      <IconButton
        icon="reply"
        label={texts.conversation.reply}
        tabIndex={-1}
        onClick={() => run('reply', item)}
      />
      <IconButton
        icon="more"
        label={label}
        tabIndex={-1}
        onClick={(event) => {
          const { left, bottom } = (event.currentTarget as HTMLElement).getBoundingClientRect()
          openMenu(item, left, bottom)
        }}
      />
    </div>
  )
}
