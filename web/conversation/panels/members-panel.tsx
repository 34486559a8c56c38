/**
 * Details of a group: its name, topic and settings, then its members with what the user may do with them.
 */
import { useMemo, useState } from 'preact/hooks'
import type { GroupHandle, GroupItem } from '../../../client/store/types.ts'
import { useShell, useView } from '../../shell.ts'
import { Button } from '../../ui/button.tsx'
import { folded } from '../composer/completion.ts'
import { AddMember } from './add-member.tsx'
import { GroupDetails } from './group-details.tsx'
import { MemberRow } from './member-row.tsx'

/** From this number of members on, there is a field to filter them. */
const FILTERED = 12
/** Members in the document; the filter finds the others. */
const MAX_SHOWN = 200

export function MembersPanel({ groupId }: { readonly groupId: string | null }) {
  const { store } = useShell()
  const handle = useMemo(() => (groupId === null ? null : store.group(groupId)), [store, groupId])
  return handle && <Details handle={handle} />
}

function Details({ handle }: { readonly handle: GroupHandle }) {
  const info = useView(handle.info)
  if (!info) return null
  return (
    <div class="stack panel-body">
      <GroupDetails key={info.groupId} handle={handle} info={info} />
      {info.kind === 'group' && <Members handle={handle} info={info} />}
    </div>
  )
}

const ranks = { admin: 0, moderator: 1, member: 2 } as const

function Members({ handle, info }: { readonly handle: GroupHandle; readonly info: GroupItem }) {
  const { store, texts } = useShell()
  const view = useView(handle.members)
  const me = useView(store.me)
  const [filter, setFilter] = useState('')
  const [isAdding, setAdding] = useState(false)
  const t = texts.conversation
  const sorted = useMemo(
    () => [...view.members].sort((a, b) => ranks[a.role] - ranks[b.role] || a.name.localeCompare(b.name)),
    [view.members],
  )
  const wanted = folded(filter.trim())
  const shown =
    wanted === '' ? sorted : sorted.filter(({ name, userId }) => folded(`${name} ${userId}`).includes(wanted))
  const isModerator = view.role === 'admin' || view.role === 'moderator'
  return (
    <section class="stack">
      <div class="row">
        <h3 class="grow people-title">{t.memberCount(info.memberCount)}</h3>
        {isModerator && (
          <Button icon="plus" onClick={() => setAdding(!isAdding)}>
            {t.addMember}
          </Button>
        )}
      </div>
      {isAdding && <AddMember handle={handle} members={view.members} onClose={() => setAdding(false)} />}
      {view.members.length >= FILTERED && (
        <input
          class="field"
          type="search"
          value={filter}
          placeholder={t.filterMembers}
          aria-label={t.filterMembers}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      <ul>
        {shown.slice(0, MAX_SHOWN).map((member) => (
          <MemberRow key={member.userId} handle={handle} member={member} role={view.role} me={me.userId} />
        ))}
      </ul>
      {!view.isComplete && <p class="soft small">{t.moreMembers}</p>}
    </section>
  )
}
