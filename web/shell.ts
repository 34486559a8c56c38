/**
 * Shell: what every component of the page can use, by `useShell()`.
 */
import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import type { TokenSource } from '../client/link.ts'
import type { MeView, Store, View } from '../client/store/types.ts'
import type { ViewCell } from '../client/store/view-cell.ts'
import type { Format } from './i18n/format.ts'
import type { Texts } from './i18n/texts.ts'
import type { MissingParts } from './missing-parts.ts'
import type { Navigation } from './navigation.ts'
import type { Preferences } from './settings/preferences.ts'

/** Where the requests go that are not of the store, and the token of the user. */
export interface Server {
  /** The address of the server, with a slash at its end. */
  readonly url: string
  readonly token: TokenSource
}

export interface Shell {
  readonly store: Store
  readonly server: Server
  readonly texts: Texts
  /** Dates, times and numbers in the user's language. */
  readonly format: Format
  readonly navigation: Navigation
  readonly preferences: View<Preferences>
  readonly missingParts: MissingParts
  /** The modal dialogs that are open, the newest last. */
  readonly modals: ViewCell<readonly HTMLElement[]>
  setPreferences(change: Partial<Preferences>): void
  /** The name of the user in their token; the server sends it with their first chat. */
  readonly nameInToken: string
  /** Has a screen reader say the text, once; `assertive` interrupts it. */
  announce(text: string, urgency?: 'polite' | 'assertive'): void
  /** Shows a text for a few seconds, and announces it. */
  toast(text: string, action?: ToastAction): void
  /** Shows a failure of the store to the user; `error` is what its promise rejected with. */
  fail(error: unknown): void
  /** Opens one of the dialogs of the frame. */
  openDialog(name: DialogName): void
}

export interface ToastAction {
  readonly label: string
  run(): void
}

export type DialogName = 'jump' | 'keys' | 'settings' | 'new-group' | 'new-direct' | 'requests' | 'blocked'

export const ShellContext = createContext<Shell | null>(null)

/** The shell of the page that the component is in. */
export function useShell(): Shell {
  const shell = useContext(ShellContext)
  if (!shell) throw new Error('useShell is only for components inside of App')
  return shell
}

/** The current value of a view; the component renders again when it changes. */
export function useView<T>(view: View<T>): T {
  const [value, setValue] = useState(() => view.getSnapshot())
  useEffect(() => {
    const update = () => setValue(() => view.getSnapshot())
    const unsubscribe = view.subscribe(update)
    // It may have changed since it was rendered.
    update()
    return unsubscribe
  }, [view])
  // Another view than that of the state: the effect above runs later.
  const current = view.getSnapshot()
  return Object.is(value, current) ? value : current
}

/** The signed-in user, with a name. */
export function useMe(): MeView {
  const { store, nameInToken } = useShell()
  const me = useView(store.me)
  const isNamed = me.name !== '' && me.name !== me.userId
  return { ...me, name: isNamed ? me.name : nameInToken || me.userId }
}
