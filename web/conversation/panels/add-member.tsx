/**
 * Adds people to a group: search by name, then a choice. Who left by themselves is invited instead by the
 * server.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { GroupHandle, MembersView } from '../../../client/store/types.ts'
import type { User } from '../../../protocol/records.ts'
import { withId } from '../../groups/with-id.ts'
import { useShell } from '../../shell.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'

interface AddMemberProps {
  readonly handle: GroupHandle
  readonly members: MembersView['members']
  readonly onClose: () => void
}

const WAIT_MS = 250
const MAX_FOUND = 8

export function AddMember({ handle, members, onClose }: AddMemberProps) {
  const { store, texts, toast, fail } = useShell()
  const [query, setQuery] = useState('')
  const [found, setFound] = useState<readonly User[]>([])
  const input = useRef<HTMLInputElement>(null)
  const t = texts.conversation
  useEffect(() => input.current?.focus(), [])
  useEffect(() => {
    let isCurrent = true
    const search = () => (query.trim().length < 2 ? store.contacts() : store.searchUsers(query.trim()))
    const timer = setTimeout(() => search().then((users) => isCurrent && setFound(users), fail), WAIT_MS)
    return () => {
      isCurrent = false
      clearTimeout(timer)
    }
  }, [query, store, fail])
  const there = new Set(members.map(({ userId }) => userId))
  const others = withId(found, query.trim(), texts.shell.byId)
    .filter(({ userId }) => !there.has(userId))
    .slice(0, MAX_FOUND)
  const run = (user: User, what: 'addMember' | 'invite') => {
    handle[what](user.userId).then(
      () => toast(what === 'invite' ? t.invited(user.name) : t.wasAdded(user.name)),
      fail,
    )
  }
  return (
    <div class="stack add-member">
      <input
        ref={input}
        class="field"
        type="search"
        value={query}
        placeholder={texts.shell.searchPeople}
        aria-label={texts.shell.searchPeople}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          event.preventDefault()
          onClose()
        }}
      />
      <ul>
        {others.map((user) => (
          <li key={user.userId} class="person-row">
            <Avatar id={user.userId} name={user.name} picture={user.picture} size={32} />
            <span class="grow ellipsis">{user.name || user.userId}</span>
            <Button kind="quiet" onClick={() => run(user, 'invite')}>
              {t.invite}
            </Button>
            <Button onClick={() => run(user, 'addMember')}>{t.add}</Button>
          </li>
        ))}
      </ul>
      {others.length === 0 && <p class="soft small">{texts.shell.noPeople}</p>}
    </div>
  )
}
