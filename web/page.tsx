/**
 * Page: the page of the server at `/`: sign-in, or the app of the signed-in user.
 */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { ChatStore } from '../client/store/chat-store.ts'
import { App } from './app.tsx'
import type { LanguageTexts } from './i18n/use-language.ts'
import type { Navigation } from './navigation.ts'
import { createInstaller } from './session/install-worker.ts'
import { currentToken, forget, nameIn, renewed, type Session, save } from './session/session.ts'
import { SignIn } from './session/sign-in.tsx'
import type { PreferencesView } from './settings/preferences.ts'
import { useView } from './shell.ts'
import { Announcer } from './ui/announcer.ts'

interface PageProps {
  readonly preferences: PreferencesView
  readonly navigation: Navigation
  readonly first: LanguageTexts
  readonly session: Session | null
}

export function Page({ preferences, navigation, first, session: given }: PageProps) {
  const [{ language, texts }, setLanguage] = useState(first)
  const [session, setSession] = useState(given)
  const watchUpdates = useMemo(createInstaller, [])
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  if (!session) {
    const onToken = (token: string, isTrial: boolean) =>
      setSession(save({ ...renewed(token, null), isTrial }))
    return <SignIn texts={texts} preferences={preferences} onToken={onToken} />
  }
  const props = { preferences, navigation, language, texts, session, watchUpdates, onLanguage: setLanguage }
  return <SignedIn key={session.token} {...props} onSession={setSession} />
}

interface SignedInProps extends LanguageTexts {
  readonly preferences: PreferencesView
  readonly navigation: Navigation
  readonly session: Session
  readonly watchUpdates: ReturnType<typeof createInstaller>
  readonly onLanguage: (loaded: LanguageTexts) => void
  readonly onSession: (session: Session | null) => void
}

function SignedIn({ session, onSession, ...given }: SignedInProps) {
  const { texts, navigation, preferences } = given
  const store = useMemo(() => openStore(session), [session])
  const server = useMemo(
    () => ({ url: new URL('.', location.href).href, token: () => currentToken(session) }),
    [session],
  )
  const announcer = useMemo(() => new Announcer(), [])
  const [isAsking, setAsking] = useState(false)
  const connection = useView(store.connection)
  const { userId } = useView(store.me)
  useEffect(() => {
    store.connect()
    return () => void store.close()
  }, [store])
  useEffect(() => {
    // The server may have another id for the user than the token's subject.
    if (userId !== '' && userId !== session.userId) save({ ...session, userId })
  }, [userId, session])
  const isSignedOut = connection.state === 'signed_out'
  useEffect(() => {
    if (!isSignedOut) return
    // Here or in another tab.
    forget(session)
    navigation.go({ groupId: null, seq: null, panel: null })
    onSession(null)
  }, [isSignedOut, session, navigation, onSession])
  const { unread } = useView(store.groups)
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) ${texts.shell.appName}` : texts.shell.appName
  }, [unread, texts])
  // A token that was never accepted leaves nothing to show.
  const isUnknown = connection.state === 'refused' && store.groups.getSnapshot().groups.length === 0
  if (isAsking || isUnknown) {
    const refusal = connection.state === 'refused' ? connection.reason : undefined
    const onToken = (token: string, isTrial: boolean) =>
      onSession(save({ ...renewed(token, session), isTrial }))
    return <SignIn texts={texts} preferences={preferences} refusal={refusal} onToken={onToken} />
  }
  const signOut = () => {
    if (confirm(texts.shell.signOutConfirm)) void store.signOut()
  }
  const nameInToken = nameIn(session.token)
  const props = { ...given, store, server, announcer, nameInToken }
  return <App {...props} onSignIn={() => setAsking(true)} onSignOut={signOut} />
}

/** The store of a session. The server is where the page was loaded from. */
export function openStore(session: Session): ChatStore {
  const url = new URL('ws', location.href).href
  return new ChatStore({ url, token: () => currentToken(session), userId: session.userId || undefined })
}
