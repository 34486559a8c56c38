/**
 * People picker: a search for people by name; without a query it shows the user's contacts.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { User } from '../../protocol/records.ts'
import { useShell } from '../shell.ts'
import { Avatar } from '../ui/avatar.tsx'
import { matchesName } from './match-name.ts'
import { statusText } from './status-text.ts'
import { withId } from './with-id.ts'

const SEARCH_AFTER_MS = 250
const MIN_CHARS = 2

interface PeoplePickerProps {
  readonly onPick: (user: User) => void
  /** Users who are not offered. */
  readonly except: readonly string[]
}

export function PeoplePicker({ onPick, except }: PeoplePickerProps) {
  const { texts } = useShell()
  const { shell } = texts
  const [query, setQuery] = useState('')
  const found = usePeople(query.trim())
  const shown =
    found && withId(found, query.trim(), shell.byId).filter(({ userId }) => !except.includes(userId))
  return (
    <div class="stack">
      <input
        class="field"
        type="search"
        aria-label={shell.searchPeople}
        placeholder={shell.searchPeople}
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
      />
      <p aria-live="polite" class="soft small">
        {!shown && shell.loading}
        {shown?.length === 0 && (query.trim().length < MIN_CHARS ? shell.typeToSearch : shell.noPeople)}
      </p>
      <ul class="people-list">
        {shown?.map((user) => (
          <li key={user.userId}>
            <button type="button" class="list-choice" onClick={() => onPick(user)}>
              <Avatar
                id={user.userId}
                name={user.name}
                picture={user.picture}
                size={36}
                presence={user.status}
              />
              <span class="grow">
                {user.name} <span class="soft small">{statusText(user.status, texts)}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** People for a query, once it has not changed for a moment; undefined before the first answer. */
export function usePeople(query: string): readonly User[] | undefined {
  const { store, fail } = useShell()
  const [found, setFound] = useState<readonly User[] | undefined>(undefined)
  const contacts = useRef<Promise<readonly User[]> | null>(null)
  useEffect(() => {
    let isCurrent = true
    const load = async () => {
      if (query.length >= MIN_CHARS) return await store.searchUsers(query)
      contacts.current ??= store.contacts()
      return (await contacts.current).filter(({ name }) => matchesName(name, query))
    }
    const show = (users: readonly User[]) => {
      if (isCurrent) setFound(users)
    }
    const run = () => {
      load().then(show, (error: unknown) => {
        show([])
        if (isCurrent && query !== '') fail(error)
      })
    }
    const timer = setTimeout(run, query === '' ? 0 : SEARCH_AFTER_MS)
    return () => {
      isCurrent = false
      clearTimeout(timer)
    }
  }, [query, store, fail])
  return found
}
