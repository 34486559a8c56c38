/**
 * Jump: finds a chat or a person by their name, and goes there. A combobox: the focus stays in the field,
 * the arrow keys choose, Enter goes.
 */
import { useEffect, useId, useState } from 'preact/hooks'
import { useShell, useView } from '../shell.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { matchesName } from './match-name.ts'
import { usePeople } from './people-picker.tsx'

const MAX_SHOWN = 12

interface Choice {
  readonly id: string
  readonly title: string
  readonly detail: string
  readonly isGroup: boolean
  go(): Promise<string>
}

export function Jump({ onClose }: { readonly onClose: () => void }) {
  const { texts, navigation, fail } = useShell()
  const { shell } = texts
  const [query, setQuery] = useState('')
  const [chosen, setChosen] = useState(0)
  const listId = useId()
  const found = useChoices(query.trim())
  const at = Math.min(chosen, found.length - 1)
  const go = (choice: Choice | undefined) => {
    const open = (groupId: string) => {
      onClose()
      navigation.go({ groupId })
    }
    choice?.go().then(open, fail)
  }
  useEffect(
    () => document.getElementById(`${listId}-${at}`)?.scrollIntoView({ block: 'nearest' }),
    [listId, at],
  )
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.isComposing || found.length === 0) return
    if (step !== undefined) setChosen((at + step + found.length) % found.length)
    else if (event.key === 'Enter') go(found[at])
    else return
    event.preventDefault()
  }
  return (
    <Dialog title={shell.jump} onClose={onClose} kind="jump">
      <input
        class="field"
        role="combobox"
        aria-label={shell.jumpText}
        aria-expanded="true"
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={at >= 0 ? `${listId}-${at}` : undefined}
        placeholder={shell.jumpText}
        autocomplete="off"
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div role="listbox" id={listId} aria-label={shell.jump} class="people-list" tabIndex={-1}>
        {found.map((choice, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field.
          <div
            key={choice.id}
            id={`${listId}-${i}`}
            role="option"
            tabIndex={-1}
            class="list-choice"
            aria-selected={i === at}
            onClick={() => go(choice)}
          >
            <Avatar id={choice.id} name={choice.title} size={32} isGroup={choice.isGroup} />
            <span class="grow ellipsis">{choice.title}</span>
            <span class="soft small">{choice.detail}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="soft">{shell.noMatch}</p>}
    </Dialog>
  )
}

/** The user's chats, then people without a chat. */
function useChoices(query: string): readonly Choice[] {
  const { store, texts } = useShell()
  const { groups } = useView(store.groups)
  const { userId: me } = useView(store.me)
  const people = usePeople(query)
  const chats = groups
    .filter(({ title }) => matchesName(title, query))
    .map(({ groupId, title, kind, unread, peer }) => ({
      id: peer?.userId ?? groupId,
      title,
      detail: unread > 0 ? texts.shell.unread(unread) : '',
      isGroup: kind === 'group',
      go: async () => groupId,
    }))
  const others = (query === '' ? [] : (people ?? []))
    .filter(({ userId }) => userId !== me && !groups.some(({ peer }) => peer?.userId === userId))
    .map(({ userId, name }) => ({
      id: userId,
      title: name,
      detail: texts.shell.newDirect,
      isGroup: false,
      go: () => store.direct(userId),
    }))
  return [...chats, ...others].slice(0, MAX_SHOWN)
}
