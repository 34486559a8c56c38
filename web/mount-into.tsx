/**
 * Mount into: shows the chat inside of an element of another page.
 */
import { render } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { ChatStore } from '../client/store/chat-store.ts'
import type { Store } from '../client/store/types.ts'
import { App } from './app.tsx'
import { type LanguageTexts, textsFor } from './i18n/use-language.ts'
import type { ChatOptions, MountedChat } from './index.ts'
import { memoryNavigation, type Navigation } from './navigation.ts'
import { openPreferences, type PreferencesView } from './settings/preferences.ts'
import type { Server } from './shell.ts'
import { Announcer } from './ui/announcer.ts'
import './theme/index.css'

export async function mountInto(element: Element, options: ChatOptions): Promise<MountedChat> {
  const { url, token, userId, language, theme } = options
  const preferences = openPreferences()
  if (language !== undefined) preferences.set({ language })
  if (theme !== undefined) preferences.set({ theme })
  const store = new ChatStore({ url, token, userId })
  const server = { url: url.endsWith('/') ? url : `${url}/`, token }
  const navigation = memoryNavigation()
  const first = await textsFor(preferences.getSnapshot())
  const unmount = async () => {
    render(null, element)
    await store.close()
  }
  const signOut = async () => {
    render(null, element)
    await store.signOut()
  }
  render(<Mounted {...{ store, server, preferences, navigation, first, signOut }} />, element)
  return { show: (groupId) => navigation.go({ groupId }), unmount, signOut }
}

interface MountedProps {
  readonly store: Store
  readonly server: Server
  readonly preferences: PreferencesView
  readonly navigation: Navigation
  readonly first: LanguageTexts
  readonly signOut: () => Promise<void>
}

function Mounted({ store, server, preferences, navigation, first, signOut }: MountedProps) {
  const [{ language, texts }, onLanguage] = useState(first)
  const announcer = useMemo(() => new Announcer(), [])
  useEffect(() => store.connect(), [store])
  const props = { store, server, texts, language, preferences, navigation, announcer, onLanguage }
  // The page's token function signs in again.
  return <App {...props} onSignIn={() => store.connect()} onSignOut={() => void signOut()} />
}
