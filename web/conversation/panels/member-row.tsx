/**
 * A member with their role, and a menu of what the user may do: never to somebody of a higher role
 * (docs/PERMISSIONS.md).
 */
import { useState } from 'preact/hooks'
import type { GroupHandle, MembersView } from '../../../client/store/types.ts'
import { useShell } from '../../shell.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Menu, type MenuItem } from '../../ui/menu.tsx'
import { ConfirmDialog } from '../confirm-dialog.tsx'

type MemberOnShow = MembersView['members'][number]

interface MemberRowProps {
  readonly handle: GroupHandle
  readonly member: MemberOnShow
  /** The user's own role. */
  readonly role: MembersView['role']
  readonly me: string
}

const HOUR_MS = 3_600_000
const ranks = { member: 0, moderator: 1, admin: 2 } as const

export function MemberRow({ handle, member, role, me }: MemberRowProps) {
  const { texts, format, fail } = useShell()
  const [asked, setAsked] = useState<Asked | null>(null)
  const t = texts.conversation
  const { userId } = member
  const name = member.name || userId
  const isMuted = (member.mutedUntil ?? 0) > Date.now()
  const details = [
    member.role !== 'member' && t.roles[member.role],
    isMuted && t.mutedUntil(format.dateTime(member.mutedUntil ?? 0)),
  ].filter(Boolean)
  return (
    <li class="person-row">
      <Avatar id={userId} name={name} picture={member.picture} size={36} presence={member.status} />
      <span class="grow person-text">
        <span class="ellipsis">
          {name} {userId === me && <span class="soft">({texts.shell.you})</span>}
        </span>
        {details.length > 0 && <span class="soft small">{details.join(' · ')}</span>}
      </span>
      <Actions handle={handle} member={member} role={role} me={me} onAsk={setAsked} />
      {asked && (
        <ConfirmDialog
          title={asked === 'ban' ? t.banTitle(name) : t.removeTitle(name)}
          label={asked === 'ban' ? t.ban : t.remove}
          onConfirm={() => {
            handle[asked](userId).catch(fail)
          }}
          onClose={() => setAsked(null)}
        >
          <p>{asked === 'ban' ? t.banText : t.removeText}</p>
        </ConfirmDialog>
      )}
    </li>
  )
}

type Asked = 'removeMember' | 'ban'

function Actions({
  handle,
  member,
  role,
  me,
  onAsk,
}: MemberRowProps & { readonly onAsk: (what: Asked) => void }) {
  const { store, texts, navigation, fail } = useShell()
  const t = texts.conversation
  const { userId } = member
  const name = member.name || userId
  const isMuted = (member.mutedUntil ?? 0) > Date.now()
  const mayModerate = role !== null && ranks[role] > 0 && ranks[member.role] <= ranks[role] && userId !== me
  const item = (label: string, run: () => Promise<unknown>, icon?: MenuItem['icon']): MenuItem => ({
    label,
    ...(icon && { icon }),
    run: () => {
      run().catch(fail)
    },
  })
  const items: readonly (MenuItem | false)[] = [
    userId !== me &&
      item(t.writeDirect, async () => navigation.go({ groupId: await store.direct(userId) }), 'edit'),
    role === 'admin' &&
      member.role !== 'admin' &&
      item(t.makeAdmin, () => handle.setRole(userId, 'admin'), 'person'),
    role === 'admin' &&
      member.role !== 'moderator' &&
      item(t.makeModerator, () => handle.setRole(userId, 'moderator'), 'person'),
    role === 'admin' &&
      member.role !== 'member' &&
      item(t.makeMember, () => handle.setRole(userId, 'member'), 'person'),
    mayModerate &&
      !isMuted &&
      item(t.muteMember, () => handle.muteMember(userId, Date.now() + HOUR_MS), 'micOff'),
    mayModerate && isMuted && item(t.unmuteMember, () => handle.muteMember(userId, null), 'mic'),
    mayModerate && { label: t.removeDots, icon: 'leave', isDanger: true, run: () => onAsk('removeMember') },
    mayModerate && { label: t.banDots, icon: 'block', isDanger: true, run: () => onAsk('ban') },
    userId !== me && item(t.block, () => store.block(userId), 'block'),
  ]
  return items.some(Boolean) ? <Menu label={t.actionsFor(name)} items={items} /> : null
}
