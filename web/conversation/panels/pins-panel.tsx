/**
 * The pinned messages of a group, with jumps to them.
 */
import { useMemo } from 'preact/hooks'
import type { GroupHandle } from '../../../client/store/types.ts'
import { useShell, useView } from '../../shell.ts'
import { IconButton } from '../../ui/button.tsx'
import { contentOf } from '../list/sentences.ts'

export function PinsPanel({ groupId }: { readonly groupId: string | null }) {
  const { store } = useShell()
  const handle = useMemo(() => (groupId === null ? null : store.group(groupId)), [store, groupId])
  return handle && <Pins handle={handle} />
}

function Pins({ handle }: { readonly handle: GroupHandle }) {
  const { texts, format, fail } = useShell()
  const { pins, isLoaded } = useView(handle.pins)
  const { role } = useView(handle.members)
  const t = texts.conversation
  if (!isLoaded) return <p class="mark">{texts.shell.loading}</p>
  if (pins.length === 0) return <p class="panel-empty">{t.noPins}</p>
  return (
    <ul class="panel-list">
      {pins.map((item) => (
        <li key={item.key} class="hit">
          <button
            type="button"
            class="hit-body"
            onClick={() => handle.jumpTo({ seq: item.seq ?? 0 }).catch(fail)}
          >
            <span class="hit-head">
              <strong class="ellipsis">{item.mine ? texts.shell.you : item.sender.name}</strong>
              <span class="soft small">{format.short(item.createdAt)}</span>
            </span>
            <span class="hit-text">{contentOf(item, texts)}</span>
          </button>
          {role !== 'member' && role !== null && (
            <IconButton
              icon="close"
              label={t.unpin}
              onClick={() => handle.unpin(item.messageId ?? '').catch(fail)}
            />
          )}
        </li>
      ))}
    </ul>
  )
}
