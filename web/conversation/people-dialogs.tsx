/**
 * Dialogs with people: who received and read a message, and who reacted to it.
 */
import { useEffect, useState } from 'preact/hooks'
import type { MessageItem, Person, ReceiptsView } from '../../client/store/types.ts'
import { useShell } from '../shell.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Dialog } from '../ui/dialog.tsx'
import type { ListContext } from './list/list-context.ts'

interface PeopleDialogProps {
  readonly item: MessageItem
  readonly context: ListContext
  readonly onClose: () => void
}

export function ReceiptsDialog({ item, context, onClose }: PeopleDialogProps) {
  const { texts, format, fail } = useShell()
  const [receipts, setReceipts] = useState<ReceiptsView | null>(null)
  const { handle } = context
  const t = texts.conversation
  // biome-ignore lint/correctness/useExhaustiveDependencies: loaded again when the counts change.
  useEffect(() => {
    let isCurrent = true
    handle.receipts(item.messageId ?? '').then(
      (view) => isCurrent && setReceipts(view),
      (error: unknown) => {
        fail(error)
        onClose()
      },
    )
    return () => {
      isCurrent = false
    }
  }, [handle, item.messageId, item.readBy, item.deliveredBy])
  const hasRead = new Set(receipts?.read.map(({ user }) => user.userId))
  const section = (title: string, list: ReceiptsView['read']) => (
    <section>
      <h3 class="people-title">{title}</h3>
      {list.length === 0 && <p class="soft">{t.nobody}</p>}
      <ul>
        {list.map(({ user, at }) => (
          <PersonRow key={user.userId} person={user} detail={`${format.day(at)}, ${format.time(at)}`} />
        ))}
      </ul>
    </section>
  )
  return (
    <Dialog title={t.receipts} onClose={onClose}>
      {receipts ? (
        <div class="stack people-list">
          {section(t.readByTitle, receipts.read)}
          {section(
            t.deliveredToTitle,
            receipts.delivered.filter(({ user }) => !hasRead.has(user.userId)),
          )}
        </div>
      ) : (
        <p class="soft">{texts.shell.loading}</p>
      )}
    </Dialog>
  )
}

export function ReactionsDialog({ item, context, onClose }: PeopleDialogProps) {
  const { texts } = useShell()
  const { me, nameOf } = context
  return (
    <Dialog title={texts.conversation.reactions} onClose={onClose}>
      <div class="stack people-list">
        {item.reactions.map(({ emoji, userIds, count }) => (
          <section key={emoji}>
            <h3 class="people-title">
              <span class="reaction-emoji">{emoji}</span> {count}
            </h3>
            <ul>
              {userIds.map((userId) => (
                <PersonRow
                  key={userId}
                  person={{ userId, name: userId === me ? texts.shell.you : nameOf(userId) }}
                />
              ))}
            </ul>
            {count > userIds.length && (
              <p class="soft">{texts.conversation.others(count - userIds.length)}</p>
            )}
          </section>
        ))}
      </div>
    </Dialog>
  )
}

function PersonRow({ person, detail }: { readonly person: Person; readonly detail?: string }) {
  return (
    <li class="person-row">
      <Avatar id={person.userId} name={person.name || person.userId} picture={person.picture} size={32} />
      <span class="grow ellipsis">{person.name || person.userId}</span>
      {detail !== undefined && <span class="soft small">{detail}</span>}
    </li>
  )
}
