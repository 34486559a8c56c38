/**
 * Group row: one chat in the list, with what is new in it.
 */
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { GroupItem, MessageItem } from '../../client/store/types.ts'
import { hashOf } from '../navigation.ts'
import { useShell } from '../shell.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { previewOf } from './preview.ts'

interface GroupRowProps {
  readonly group: GroupItem
  readonly isCurrent: boolean
  /** The only Tab stop of the list. */
  readonly isTabStop: boolean
  readonly onFocus: () => void
}

const MAX_SHOWN = 999

export function GroupRow({ group, isCurrent, isTabStop, onFocus }: GroupRowProps) {
  const { texts, format, navigation } = useShell()
  const { shell } = texts
  const { groupId, unread, mentions, lastMessage } = group
  const isMuted = (group.mutedUntil ?? 0) > Date.now()
  const unreadText = unread > MAX_SHOWN ? `${MAX_SHOWN}+` : format.number(unread)
  const row = useRef<HTMLAnchorElement>(null)
  // Not by `scrollIntoView`, which may move a page around the chat.
  useLayoutEffect(() => {
    const list = row.current?.closest('.groups-list')
    if (!isCurrent || !list || !row.current) return
    const { top, bottom } = row.current.getBoundingClientRect()
    const box = list.getBoundingClientRect()
    list.scrollTop += Math.min(0, top - box.top) + Math.max(0, bottom - box.bottom)
  }, [isCurrent])
  return (
    <li>
      <a
        ref={row}
        href={hashOf({ groupId, seq: null, panel: null })}
        class={unread > 0 ? 'group-row group-unread' : 'group-row'}
        data-group={groupId}
        aria-current={isCurrent ? 'page' : undefined}
        tabIndex={isTabStop ? 0 : -1}
        onFocus={onFocus}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
          event.preventDefault()
          navigation.go({ groupId })
        }}
      >
        <Avatar
          id={group.peer?.userId ?? groupId}
          name={group.title}
          picture={group.picture}
          isGroup={group.kind === 'group'}
          presence={group.kind === 'direct' ? group.presence : undefined}
          size={44}
        />
        <span class="group-text">
          <span class="group-line">
            <span class="group-title ellipsis">{group.title}</span>
            {isMuted && <Mark icon="bellOff" label={shell.muted} />}
            {lastMessage && <span class="group-time">{format.short(lastMessage.createdAt)}</span>}
          </span>
          <span class="group-line">
            <LastLine group={group} isCurrent={isCurrent} />
            {group.failed > 0 ? (
              <Mark icon="alert" label={shell.failed(group.failed)} />
            ) : (
              group.pending > 0 && <Mark icon="clock" label={shell.sending(group.pending)} />
            )}
            {mentions > 0 && <Badge kind="badge badge-mention" text="@" label={shell.mentions(mentions)} />}
            {unread > 0 && (
              <Badge
                kind={isMuted ? 'badge badge-quiet' : 'badge'}
                text={unreadText}
                label={shell.unread(unread)}
              />
            )}
          </span>
        </span>
      </a>
    </li>
  )
}

function LastLine({ group, isCurrent }: Pick<GroupRowProps, 'group' | 'isCurrent'>) {
  const { texts, format } = useShell()
  const { shell } = texts
  const names = group.typing.map(({ name }) => name)
  if (names.length > 0) {
    const text = names.length === 1 ? shell.typingOne(names[0] ?? '') : shell.typingMany(format.list(names))
    return <span class="group-last group-typing ellipsis">{text}</span>
  }
  if (group.draft !== '' && !isCurrent) {
    return (
      <span class="group-last ellipsis">
        <span class="group-draft">{shell.draft}:</span> {group.draft}
      </span>
    )
  }
  const { lastMessage } = group
  if (!lastMessage) return <span class="group-last" />
  const icon = lastMessage.mine ? stateIcons[lastMessage.state] : undefined
  return (
    <>
      {icon && (
        <span class={`group-state group-state-${lastMessage.state}`}>
          <Icon name={icon} size={15} />
        </span>
      )}
      <span class="group-last ellipsis">{previewOf(lastMessage, group.kind, texts)}</span>
    </>
  )
}

const stateIcons: Partial<Record<MessageItem['state'], IconName>> = {
  sent: 'check',
  delivered: 'checks',
  read: 'checks',
}

function Mark({ icon, label }: { readonly icon: IconName; readonly label: string }) {
  return (
    <span class={`group-mark group-mark-${icon}`} title={label}>
      <Icon name={icon} size={15} />
      <span class="visually-hidden">{label}</span>
    </span>
  )
}

function Badge({
  kind,
  text,
  label,
}: {
  readonly kind: string
  readonly text: string
  readonly label: string
}) {
  return (
    <span class={kind}>
      <span aria-hidden="true">{text}</span>
      <span class="visually-hidden">{label}</span>
    </span>
  )
}
