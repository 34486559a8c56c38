/**
 * The header of a conversation: whose it is, who is there, and what can be opened beside it.
 */
import { useState } from 'preact/hooks'
import type { GroupHandle, GroupItem, MembersView } from '../../client/store/types.ts'
import type { PanelName } from '../navigation.ts'
import { useShell, useView } from '../shell.ts'
import { CallButtons } from '../talk/call-buttons.tsx'
import { Avatar } from '../ui/avatar.tsx'
import { IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Menu } from '../ui/menu.tsx'
import { JumpToDate } from './jump-to-date.tsx'

interface ConversationHeaderProps {
  readonly handle: GroupHandle
  readonly info: GroupItem
  readonly members: MembersView
}

export function ConversationHeader({ handle, info, members }: ConversationHeaderProps) {
  const { texts, navigation } = useShell()
  const { panel } = useView(navigation.place)
  const t = texts.conversation
  const toggle = (name: PanelName) => navigation.go({ panel: panel === name ? null : name })
  const isDirect = info.kind === 'direct'
  const [isAskingDate, setAskingDate] = useState(false)
  return (
    <header class="conversation-header">
      <h1 class="visually-hidden">{info.title}</h1>
      <span class="back-button">
        <IconButton
          icon="back"
          label={texts.shell.back}
          tip="below"
          onClick={() => navigation.go({ groupId: null })}
        />
      </span>
      <button
        type="button"
        class="conversation-title"
        aria-expanded={panel === 'members'}
        onClick={() => toggle('members')}
      >
        <Avatar
          id={info.peer?.userId ?? info.groupId}
          name={info.title}
          picture={info.picture ?? info.peer?.picture}
          size={36}
          isGroup={!isDirect}
          presence={isDirect ? info.presence : undefined}
        />
        <span class="conversation-names">
          <span class="conversation-name">
            <strong class="ellipsis">{info.title}</strong>
            {!isDirect && info.visibility === 'open' && <Icon name="globe" size={15} />}
            {(info.mutedUntil ?? 0) > Date.now() && <Icon name="bellOff" size={15} />}
          </span>
          <span class="soft small ellipsis">{useSubtitle(info, members)}</span>
        </span>
      </button>
      <div class="conversation-tools">
        <CallButtons handle={handle} />
        <IconButton
          icon="search"
          label={t.search}
          tip="below"
          pressed={panel === 'search'}
          onClick={() => toggle('search')}
        />
        <IconButton
          icon="people"
          label={isDirect ? t.details : t.members}
          tip="below"
          pressed={panel === 'members'}
          onClick={() => toggle('members')}
        />
        <Menu
          label={texts.shell.more}
          tip="below"
          items={[
            { label: t.pins, icon: 'pin', run: () => toggle('pins') },
            { label: t.jumpToDate, icon: 'calendar', run: () => setAskingDate(true) },
          ]}
        />
      </div>
      {isAskingDate && <JumpToDate handle={handle} onClose={() => setAskingDate(false)} />}
    </header>
  )
}

function useSubtitle(info: GroupItem, { onlineTotal }: MembersView): string {
  const { texts, format } = useShell()
  const { conversation: t, shell } = texts
  if (info.kind === 'group') {
    const count = t.memberCount(info.memberCount)
    const online = onlineTotal > 0 ? `${count}, ${t.online(onlineTotal)}` : count
    return info.topic ? `${info.topic} · ${online}` : online
  }
  if (info.presence === 'online') return shell.statusOnline
  if (info.presence === 'away') return shell.statusAway
  if (info.presence === 'busy') return shell.statusBusy
  return info.lastSeenAt === undefined ? '' : shell.lastSeen(format.ago(info.lastSeenAt))
}
