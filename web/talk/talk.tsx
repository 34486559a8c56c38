/**
 * Talk: calls, the viewer of images, notifications and the warning of files that are not stored, which are there
 * whatever is on show. Mounted once.
 */
import { useEffect } from 'preact/hooks'
import type { PreferencesView } from '../settings/preferences.ts'
import { useShell, useView } from '../shell.ts'
import { plainText } from '../text/blocks.ts'
import { CallPanel } from './call-panel.tsx'
import { startNotifications } from './notifications.ts'
import './talk.css'
import { useCalls, viewerOf } from './talk-state.ts'
import { Viewer } from './viewer.tsx'
import { warnUnstored } from './warn-unstored.ts'

export function Talk() {
  const { store, navigation, preferences, texts } = useShell()
  const viewed = useView(viewerOf(store))
  const calls = useCalls()
  useEffect(() => () => calls?.hangUp(), [calls])
  useEffect(() => warnUnstored(store), [store])
  useEffect(
    () =>
      startNotifications({
        store,
        navigation,
        preferences: preferences as Pick<PreferencesView, 'getSnapshot'>,
        textOf: ({ lastMessage }) => {
          const { type = 'text', content = '' } = lastMessage ?? {}
          return content !== '' || type === 'text' ? plainText(content, 200) : texts.shell[type]
        },
      }),
    [store, navigation, preferences, texts],
  )
  return (
    <>
      {calls && <CallPanel calls={calls} />}
      {viewed && <Viewer item={viewed} />}
    </>
  )
}
