/**
 * App: the frame of the chat page with its three regions: groups, conversation, details.
 */
import { type RefObject, render } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Store } from '../client/store/types.ts'
import { ViewCell } from '../client/store/view-cell.ts'
import { ConnectionBanner } from './connection-banner.tsx'
import { GroupList } from './groups/group-list.tsx'
import { createFormat } from './i18n/format.ts'
import { type Language, localeOf, type Texts } from './i18n/texts.ts'
import { type LanguageTexts, languageOf, useChosenLanguage } from './i18n/use-language.ts'
import { focusRegion, useKeys } from './keys.tsx'
import { MissingBanner } from './missing-banner.tsx'
import { MissingParts, removeFailedStyles } from './missing-parts.ts'
import type { Navigation } from './navigation.ts'
import type { Update } from './session/install-worker.ts'
import type { PreferencesView } from './settings/preferences.ts'
import {
  type DialogName,
  type Server,
  type Shell,
  ShellContext,
  type ToastAction,
  useShell,
  useView,
} from './shell.ts'
import { useTheme } from './theme/use-theme.ts'
import type { Announcer } from './ui/announcer.ts'
import { lazy } from './ui/lazy.tsx'
import { type ToastItem, Toasts } from './ui/toast.tsx'

// Not part of the first load, which shows the groups.
const Conversation = lazy(async () => (await import('./conversation/conversation.tsx')).Conversation)
const Panel = lazy(async () => (await import('./conversation/panel.tsx')).Panel)
const Talk = lazy(async () => (await import('./talk/talk.tsx')).Talk)
const Dialogs = lazy(async () => (await import('./dialogs.tsx')).Dialogs)

export interface AppProps {
  readonly store: Store
  readonly server: Server
  readonly texts: Texts
  readonly language: Language
  readonly navigation: Navigation
  readonly preferences: PreferencesView
  readonly announcer: Announcer
  readonly nameInToken?: string
  /** Calls back when a new version of the page waits. */
  readonly watchUpdates?: (onUpdate: (update: Update) => void) => Promise<void>
  /** The texts of another language, which was chosen, are loaded. */
  readonly onLanguage: (loaded: LanguageTexts) => void
  /** Asks for a token; nothing is removed. */
  readonly onSignIn: () => void
  /** Ends the session and removes everything of the user. */
  readonly onSignOut: () => void
}

export function App({
  store,
  server,
  texts,
  language,
  navigation,
  preferences,
  announcer,
  nameInToken = '',
  ...on
}: AppProps) {
  const [toasts, setToasts] = useState<readonly ToastItem[]>([])
  const [dialog, setDialog] = useState<DialogName | null>(null)
  const root = useRef<HTMLDivElement>(null)
  const missingParts = useMemo(() => new MissingParts(store.connection), [store])
  const modals = useMemo(() => new ViewCell<readonly HTMLElement[]>([]), [])
  const shell = useMemo((): Shell => {
    const toast = (text: string, action?: ToastAction) => {
      announcer.say(text)
      // The same text once, also if its cause repeats.
      setToasts((shown) => [...shown.filter((one) => one.text !== text), { id: nextId(shown), text, action }])
    }
    return {
      store,
      server,
      texts,
      format: createFormat(localeOf(language, navigator.languages)),
      navigation,
      preferences,
      missingParts,
      modals,
      setPreferences: (change) => preferences.set(change),
      nameInToken,
      announce: (text, urgency) => announcer.say(text, urgency),
      toast,
      fail: (error) => toast(messageOf(error, texts)),
      openDialog: setDialog,
    }
  }, [store, server, texts, language, navigation, preferences, missingParts, modals, announcer, nameInToken])
  useChosenLanguage(languageOf(useView(preferences)), language, missingParts, on.onLanguage)
  const theme = useTheme(preferences)
  useKeys(root, shell)
  const latest = useRef(shell)
  latest.current = shell
  const { watchUpdates } = on
  useEffect(() => {
    void watchUpdates?.(({ accept }) => {
      const { updateReady, reload } = latest.current.texts.shell
      latest.current.toast(updateReady, { label: reload, run: accept })
    })
  }, [watchUpdates])
  useEffect(removeFailedStyles, [])
  const newestModal = useView(modals).at(-1)
  const toastBox = useMemo(() => document.createElement('div'), [])
  useLayoutEffect(() => {
    // Outside of the components: the regions exist before the first text, and what is moved stays as it is.
    const place = newestModal ?? root.current
    place?.append(announcer.element, toastBox)
  }, [announcer, toastBox, newestModal])
  useLayoutEffect(() => {
    const close = (id: number) => setToasts((shown) => shown.filter((one) => one.id !== id))
    render(<Toasts items={toasts} place={newestModal} texts={texts} onClose={close} />, toastBox)
  }, [toasts, texts, toastBox, newestModal])
  useEffect(() => () => render(null, toastBox), [toastBox])
  return (
    <ShellContext.Provider value={shell}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: only for files, which the browser would open in place of the page. */}
      <div ref={root} class="tertulia" lang={language} onDragOver={holdFiles} onDrop={holdFiles} {...theme}>
        <Frame onSignIn={on.onSignIn} />
        <Talk />
        {dialog !== null && (
          <Dialogs key={dialog} name={dialog} onClose={() => setDialog(null)} onSignOut={on.onSignOut} />
        )}
      </div>
    </ShellContext.Provider>
  )
}

function Frame({ onSignIn }: { readonly onSignIn: () => void }) {
  const { texts, navigation } = useShell()
  const { shell } = texts
  const { groupId, seq, panel } = useView(navigation.place)
  const main = useRef<HTMLElement>(null)
  const nav = useRef<HTMLElement>(null)
  useFocusOfGroup(groupId, main, nav)
  return (
    <div class="frame" data-shows={groupId === null && panel === null ? 'groups' : 'conversation'}>
      <section class="banners" aria-label={shell.connection}>
        <ConnectionBanner onSignIn={onSignIn} />
        <MissingBanner />
      </section>
      <nav ref={nav} class="region-groups" data-region aria-label={shell.regionGroups} tabIndex={-1}>
        <GroupList />
      </nav>
      <main
        ref={main}
        class="region-conversation"
        data-region={groupId !== null || undefined}
        aria-label={shell.regionConversation}
        tabIndex={-1}
      >
        {groupId === null ? (
          <div class="empty">
            <h1>{shell.noneChosen}</h1>
            <p>{shell.noneChosenText}</p>
          </div>
        ) : (
          <Conversation key={groupId} groupId={groupId} seq={seq} />
        )}
      </main>
      {panel !== null && (
        <aside class="region-details" data-region aria-label={shell.regionDetails} tabIndex={-1}>
          <Panel key={panel} name={panel} groupId={groupId} />
        </aside>
      )}
    </div>
  )
}

/**
 * After the user has chosen a group the focus is in its conversation: in the composer, or with a touch
 * screen, whose keyboard would cover the messages, on the region. The first group of a page, which the
 * user did not choose, does not get the focus. A conversation that is closed leaves it to the list of groups.
 */
function useFocusOfGroup(
  groupId: string | null,
  main: RefObject<HTMLElement | null>,
  nav: RefObject<HTMLElement | null>,
): void {
  const last = useRef(groupId)
  useEffect(() => {
    if (last.current === groupId) return
    last.current = groupId
    const region = groupId === null ? nav.current : main.current
    if (!region || (groupId === null && document.activeElement !== document.body)) return
    if (matchMedia('(pointer: coarse)').matches) region.focus()
    else focusRegion(region)
  }, [groupId, main, nav])
}

/** A file that is dropped beside a conversation is not opened in place of the page. */
function holdFiles(event: DragEvent): void {
  const { dataTransfer, target } = event
  if (!dataTransfer?.types.includes('Files')) return
  event.preventDefault()
  const isPlace = target instanceof Element && target.closest('[data-drop-files]') !== null
  if (!isPlace) dataTransfer.dropEffect = 'none'
}

function nextId(shown: readonly ToastItem[]): number {
  return (shown.at(-1)?.id ?? 0) + 1
}

function messageOf(error: unknown, { shell }: Texts): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  const reason = shell.reasons[String(code)]
  if (reason !== undefined) return reason
  return typeof message === 'string' && message !== '' ? message : String(error)
}
