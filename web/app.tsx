/**
 * App: the frame of the chat page with its three regions: groups, conversation, details.
 */
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Store } from '../client/store/types.ts'
import { Conversation } from './conversation/conversation.tsx'
import { Panel } from './conversation/panel.tsx'
import { createFormat } from './i18n/format.ts'
import { localeOf, type Texts } from './i18n/texts.ts'
import type { Navigation } from './navigation.ts'
import type { PreferencesView } from './settings/preferences.ts'
import { type DialogName, type Shell, ShellContext, type ToastAction, useView } from './shell.ts'
import { Talk } from './talk/talk.tsx'
import { useTheme } from './theme/use-theme.ts'
import type { Announcer } from './ui/announcer.ts'
import { type ToastItem, Toasts } from './ui/toast.tsx'

export interface AppProps {
  readonly store: Store
  readonly texts: Texts
  readonly language: 'en' | 'pt'
  readonly navigation: Navigation
  readonly preferences: PreferencesView
  readonly announcer: Announcer
}

export function App({ store, texts, language, navigation, preferences, announcer }: AppProps) {
  const [toasts, setToasts] = useState<readonly ToastItem[]>([])
  const [dialog, setDialog] = useState<DialogName | null>(null)
  const shell = useMemo((): Shell => {
    const toast = (text: string, action?: ToastAction) => {
      announcer.say(text)
      // The same text once, also if its cause repeats.
      setToasts((shown) => [...shown.filter((one) => one.text !== text), { id: nextId(shown), text, action }])
    }
    return {
      store,
      texts,
      format: createFormat(localeOf(language, navigator.languages)),
      navigation,
      preferences,
      setPreferences: (change) => preferences.set(change),
      announce: (text, urgency) => announcer.say(text, urgency),
      toast,
      fail: (error) => toast(messageOf(error)),
      openDialog: setDialog,
    }
  }, [store, texts, language, navigation, preferences, announcer])
  const { groupId, seq, panel } = useView(navigation.place)
  const theme = useTheme(preferences)
  return (
    <ShellContext.Provider value={shell}>
      <div class="tertulia" lang={language} {...theme}>
        <div class="frame" data-shows={groupId === null ? 'groups' : 'conversation'}>
          <nav class="region-groups" data-region aria-label={texts.shell.regionGroups} tabIndex={-1} />
          <main
            class="region-conversation"
            data-region
            aria-label={texts.shell.regionConversation}
            tabIndex={-1}
          >
            {groupId !== null && <Conversation key={groupId} groupId={groupId} seq={seq} />}
          </main>
          {panel !== null && (
            <aside class="region-details" data-region aria-label={texts.shell.regionDetails} tabIndex={-1}>
              <Panel key={panel} name={panel} groupId={groupId} />
            </aside>
          )}
        </div>
        <Talk />
        {dialog !== null && <span />}
        <Toasts
          items={toasts}
          closeLabel={texts.shell.close}
          onClose={(id) => setToasts((shown) => shown.filter((one) => one.id !== id))}
        />
        <AnnouncerRegion announcer={announcer} />
      </div>
    </ShellContext.Provider>
  )
}

/** The regions of the announcer, which is not made of components. */
function AnnouncerRegion({ announcer }: { readonly announcer: Announcer }) {
  const [element, setElement] = useState<HTMLElement | null>(null)
  useEffect(() => {
    element?.append(announcer.element)
  }, [element, announcer])
  return <div ref={setElement} />
}

function nextId(shown: readonly ToastItem[]): number {
  return (shown.at(-1)?.id ?? 0) + 1
}

function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown }
  return typeof message === 'string' && message !== '' ? message : String(error)
}
