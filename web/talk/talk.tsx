/**
 * Talk: calls, the viewer of images, notifications and the warning of files that are not stored, which are there
 * whatever is on show. Mounted once.
 */
import { useEffect, useState } from 'preact/hooks'
import type { PeerCalls } from '../../client/calls/peer-calls.ts'
import type { PreferencesView } from '../settings/preferences.ts'
import { useShell, useView } from '../shell.ts'
import { plainText } from '../text/blocks.ts'
import { CallPanel } from './call-panel.tsx'
import { startNotifications } from './notifications.ts'
import './talk.css'
import { callsOf, viewerOf } from './talk-state.ts'
import { Viewer } from './viewer.tsx'
import { warnUnstored } from './warn-unstored.ts'

export function Talk() {
  const { store, server, navigation, preferences, texts } = useShell()
  const viewed = useView(viewerOf(store))
  const [calls, setCalls] = useState<PeerCalls | null>(null)
  useEffect(() => {
    if (typeof RTCPeerConnection === 'undefined') return
    let isEnded = false
    const loading = callsOf({ store, server })
    loading.then((loaded) => !isEnded && setCalls(loaded)).catch(() => {})
    return () => {
      isEnded = true
      loading.then((loaded) => loaded.hangUp()).catch(() => {})
    }
  }, [store, server])
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
