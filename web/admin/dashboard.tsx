/**
 * Dashboard: the state of a server as it changes. `AdminPage` is the page, with its sign-in.
 */
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { PreferencesView } from '../settings/preferences.ts'
import { useView } from '../shell.ts'
import { SiteHeader } from '../site/site-header.tsx'
import { useTheme } from '../theme/use-theme.ts'
import { Button } from '../ui/button.tsx'
import { AdminApi, type AdminError } from './admin-api.ts'
import { AdminContext, type AdminShell, useAdmin } from './admin-context.ts'
import { Alerts } from './alerts.tsx'
import { Charts } from './charts.tsx'
import { Choices } from './choices.tsx'
import { Connections } from './connections.tsx'
import { type FeedState, LiveFeed } from './live-feed.ts'
import { Log } from './log.tsx'
import { SignIn } from './sign-in.tsx'
import { Tables } from './tables.tsx'
import { Tiles } from './tiles.tsx'

interface AdminPageProps extends Pick<AdminShell, 'texts' | 'format' | 'units'> {
  readonly preferences: PreferencesView
  /** The token of this tab, which survives a reload. */
  readonly tokens: { get(): string | null; set(token: string | null): void }
}

export function AdminPage({ preferences, tokens, ...given }: AdminPageProps) {
  const { texts } = given
  const theme = useTheme(preferences)
  const [token, setToken] = useState(tokens.get)
  const [error, setError] = useState<AdminError | null>(null)
  const api = useMemo(() => (token === null ? null : new AdminApi(token)), [token])
  const change = (next: string | null, why: AdminError | null = null) => {
    tokens.set(next)
    setToken(next)
    setError(why)
  }
  return (
    <div class="tertulia site admin" {...theme}>
      {api === null ? (
        <>
          <SiteHeader texts={texts} current="admin" />
          <SignIn texts={texts} error={error} onToken={(one) => change(one)} />
        </>
      ) : (
        <AdminContext.Provider value={{ ...given, api, theme: Object.values(theme).join() }}>
          <Dashboard onSignOut={(why) => change(null, why)} />
        </AdminContext.Provider>
      )}
      <Choices texts={texts} preferences={preferences} />
    </div>
  )
}

function Dashboard({ onSignOut }: { readonly onSignOut: (why: AdminError | null) => void }) {
  const { api, texts, units } = useAdmin()
  const feed = useMemo(() => new LiveFeed(api), [api])
  const state = useView(feed)
  const { status, error, now, before, rows } = state
  useEffect(() => feed.start(), [feed])
  useEffect(() => {
    if (status === 'refused') onSignOut(error)
  }, [status, error, onSignOut])
  const row = rows.at(-1)
  return (
    <>
      <SiteHeader texts={texts} current="admin">
        <div class="row header-end">
          <Status state={state} />
          <Button
            icon={status === 'paused' ? 'play' : 'pause'}
            onClick={() => (status === 'paused' ? feed.resume() : feed.pause())}
          >
            {status === 'paused' ? texts.resume : texts.pause}
          </Button>
          <Button kind="quiet" onClick={() => onSignOut(null)}>
            {texts.signOut}
          </Button>
        </div>
      </SiteHeader>
      <main class="site-main">
        <h1 class="visually-hidden">{texts.dashboard}</h1>
        {status === 'failing' && (
          <p role="alert" class="card refusal">
            {texts.failed(error?.message ?? '')}
          </p>
        )}
        {now !== null && row !== undefined && (
          <>
            <p class="soft small server-line">
              Tertulia {now.stats.version} · {texts.uptime(units.duration(now.stats.uptimeMs))} ·{' '}
              {texts.transport(now.stats.transport.name)}
            </p>
            <Tiles now={now} row={row} />
            <Alerts alerts={now.alerts} />
            <Charts rows={rows} />
            <Tables now={now} before={before} />
            <Connections />
            <Log next={now.logNext} />
          </>
        )}
      </main>
    </>
  )
}

function Status({ state: { status } }: { readonly state: FeedState }) {
  const { texts } = useAdmin()
  const words = {
    loading: texts.loading,
    live: texts.live,
    paused: texts.paused,
    failing: texts.failing,
    refused: texts.failing,
  }
  return (
    <span role="status" class={`feed-status feed-${status}`}>
      {words[status]}
    </span>
  )
}
