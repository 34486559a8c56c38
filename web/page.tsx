/**
 * Page: the page of the server at `/`: sign-in, or the app of the signed-in user.
 */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { App } from './app.tsx'
import { type LanguageTexts, useLanguage } from './i18n/use-language.ts'
import type { Navigation } from './navigation.ts'
import { openStore } from './session/open-store.ts'
import { currentToken, forget, type Session, save } from './session/session.ts'
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
  const { language, texts } = useLanguage(preferences, first)
  const [session, setSession] = useState(given)
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  if (!session) {
    return <SignIn texts={texts} preferences={preferences} onSession={(one) => setSession(save(one))} />
  }
  const props = { preferences, navigation, language, texts, session }
  return <SignedIn key={session.token} {...props} onSession={setSession} />
}

interface SignedInProps extends LanguageTexts {
  readonly preferences: PreferencesView
  readonly navigation: Navigation
  readonly session: Session
  readonly onSession: (session: Session | null) => void
}

function SignedIn({ session, onSession, language, texts, preferences, navigation }: SignedInProps) {
  const store = useMemo(
    () => openStore({ session, url: location.href, token: () => currentToken(session) }),
    [session],
  )
  const announcer = useMemo(() => new Announcer(), [])
  const [isAsking, setAsking] = useState(false)
  const connection = useView(store.connection)
  const { unread } = useView(store.groups)
  useEffect(() => {
    store.connect()
    return () => void store.close()
  }, [store])
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${texts.shell.appName}`
  }, [unread, texts])
  const signOut = async () => {
    if (!confirm(texts.shell.signOutConfirm)) return
    await store.signOut()
    forget(session)
    navigation.go({ groupId: null, seq: null, panel: null })
    onSession(null)
  }
  // A token that was never accepted leaves nothing to show.
  const isUnknown = connection.state === 'refused' && store.me.getSnapshot().userId === ''
  if (isAsking || isUnknown) {
    const refusal = connection.state === 'refused' ? connection.reason : undefined
    const onNew = (one: Session) => onSession(save(one))
    return <SignIn texts={texts} preferences={preferences} refusal={refusal} onSession={onNew} />
  }
  const props = { store, texts, language, preferences, navigation, announcer }
  return <App {...props} onSignIn={() => setAsking(true)} onSignOut={() => void signOut()} />
}
