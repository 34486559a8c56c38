/**
 * Group list: the user, the filter and the chats. The list is one Tab stop; the arrow keys move in it.
 */
import { useMemo, useState } from 'preact/hooks'
import { useMe, useShell, useView } from '../shell.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { Menu } from '../ui/menu.tsx'
import { GroupRow } from './group-row.tsx'
import { matchesName } from './match-name.ts'
import { statusText } from './status-text.ts'

export function GroupList() {
  const { store, texts, navigation, openDialog, fail } = useShell()
  const { shell } = texts
  const { groups, isComplete } = useView(store.groups)
  const { groupId: current } = useView(navigation.place)
  const [filter, setFilter] = useState('')
  const [focused, setFocused] = useState<string | null>(null)
  const shown = useMemo(() => groups.filter(({ title }) => matchesName(title, filter)), [groups, filter])
  const isShown = (groupId: string | null) => shown.some((group) => group.groupId === groupId)
  const tabStop = isShown(focused) ? focused : isShown(current) ? current : shown[0]?.groupId
  return (
    <>
      <Header />
      <div class="groups-filter">
        <input
          class="field"
          type="search"
          aria-label={shell.filter}
          placeholder={shell.filter}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      </div>
      {groups.length === 0 && isComplete && (
        <div class="empty">
          <h2>{shell.noGroups}</h2>
          <p>{shell.noGroupsText}</p>
          <Button kind="primary" icon="plus" onClick={() => openDialog('new-direct')}>
            {shell.newDirect}
          </Button>
          <Button onClick={() => openDialog('new-group')}>{shell.newGroup}</Button>
        </div>
      )}
      {groups.length > 0 && shown.length === 0 && <p class="empty">{shell.noMatch}</p>}
      {shown.length > 0 && (
        <ul class="groups-list" data-region-focus aria-label={shell.groups} onKeyDown={moveFocus}>
          {shown.map((group) => (
            <GroupRow
              key={group.groupId}
              group={group}
              isCurrent={group.groupId === current}
              isTabStop={group.groupId === tabStop}
              onFocus={() => setFocused(group.groupId)}
            />
          ))}
          {!isComplete && (
            <li class="row">
              <Button kind="quiet" onClick={() => store.loadMoreGroups().catch(fail)}>
                {shell.moreGroups}
              </Button>
            </li>
          )}
        </ul>
      )}
    </>
  )
}

function Header() {
  const { store, texts, openDialog } = useShell()
  const { shell } = texts
  const { userId, name, picture, status } = useMe()
  const { invitations } = useView(store.invitations)
  return (
    <header class="groups-header">
      <button type="button" class="groups-me" onClick={() => openDialog('settings')} aria-haspopup="dialog">
        <Avatar id={userId} name={name} picture={picture} size={36} presence={status} />
        <span class="grow">
          <span class="groups-name ellipsis">{name || '…'}</span>
          <span class="soft small">{statusText(status, texts)}</span>
        </span>
        <span class="visually-hidden">{shell.settings}</span>
      </button>
      <span class="groups-inbox">
        <IconButton icon="inbox" label={shell.requests} tip="below" onClick={() => openDialog('requests')} />
        {invitations.length > 0 && <span class="badge">{invitations.length}</span>}
      </span>
      <Menu
        icon="plus"
        label={shell.newChat}
        tip="below"
        items={[
          { label: shell.newDirect, icon: 'person', run: () => openDialog('new-direct') },
          { label: shell.newGroup, icon: 'people', run: () => openDialog('new-group') },
        ]}
      />
    </header>
  )
}

function moveFocus(event: KeyboardEvent): void {
  if (event.altKey || event.ctrlKey || event.metaKey) return
  const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('a.group-row')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key]
  if (to === undefined || at < 0) return
  event.preventDefault()
  rows[Math.min(Math.max(to, 0), rows.length - 1)]?.focus()
}
