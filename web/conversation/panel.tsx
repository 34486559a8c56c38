/**
 * Panel: what the region of details shows of a group: members, pins, or search. Each is loaded when it is
 * first opened.
 */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { PanelName } from '../navigation.ts'
import { useShell } from '../shell.ts'
import { IconButton } from '../ui/button.tsx'
import { useLoaded } from '../ui/lazy.tsx'

interface PanelProps {
  readonly name: PanelName
  /** The group on show; null searches all groups. */
  readonly groupId: string | null
}

const loads = {
  members: () => import('./panels/members-panel.tsx').then(({ MembersPanel }) => MembersPanel),
  pins: () => import('./panels/pins-panel.tsx').then(({ PinsPanel }) => PinsPanel),
  search: () => import('./panels/search-panel.tsx').then(({ SearchPanel }) => SearchPanel),
}

export function Panel({ name, groupId }: PanelProps) {
  const { texts, navigation } = useShell()
  const Content = useLoaded<(props: { groupId: string | null }) => ComponentChildren>(loads[name])
  const t = texts.conversation
  const title = useRef<HTMLHeadingElement>(null)
  // Who opens a panel by its button goes on in it; Escape returns to the conversation.
  useEffect(() => title.current?.focus(), [])
  const close = () => {
    navigation.go({ panel: null })
    document.querySelector<HTMLElement>('.composer-input')?.focus()
  }
  const label = { members: t.details, pins: t.pins, search: t.search }[name]
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape reaches it from what has the focus.
    <div
      class="panel"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return
        event.stopPropagation()
        close()
      }}
    >
      <header class="panel-header">
        <h2 ref={title} tabIndex={-1} class="grow">
          {label}
        </h2>
        <IconButton icon="close" label={texts.shell.close} tip="below" onClick={close} />
      </header>
      {Content ? <Content key={groupId} groupId={groupId} /> : <p class="mark">{texts.shell.loading}</p>}
    </div>
  )
}
