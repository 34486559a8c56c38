/**
 * Connection banner: the truth about the connection, while it is not live.
 *
 * A short interruption is not shown: the banner appears after a second. Screen readers get each state once,
 * without the countdown, and the return of the connection only after a state that was announced.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ConnectionView } from '../client/store/types.ts'
import type { Format } from './i18n/format.ts'
import type { Texts } from './i18n/texts.ts'
import { useShell, useView } from './shell.ts'
import { Button } from './ui/button.tsx'
import { Icon } from './ui/icon.tsx'
import { useLate } from './ui/use-late.ts'

const TICK_MS = 1_000

export function ConnectionBanner({ onSignIn }: { readonly onSignIn: () => void }) {
  const { store, texts, format, announce } = useShell()
  const connection = useView(store.connection)
  const isQuiet =
    connection.state === 'live' || connection.state === 'idle' || connection.state === 'signed_out'
  const isShown = useLate(!isQuiet)
  useTick(isShown && connection.state === 'waiting')
  const wasAnnounced = useRef(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each state, whatever its times are.
  useEffect(() => {
    if (isShown && !isQuiet) {
      announce(textOf(connection, texts, format, 0))
      wasAnnounced.current = true
    } else if (connection.state === 'live' && wasAnnounced.current) {
      announce(texts.shell.backOnline)
      wasAnnounced.current = false
    }
  }, [connection.state, isShown])
  if (!isShown || isQuiet) return null
  const isCalm = connection.state === 'connecting' || connection.state === 'catching_up'
  return (
    <div class={isCalm ? 'banner banner-calm' : 'banner'} data-connection={connection.state}>
      <Icon name={isCalm ? 'retry' : 'alert'} size={18} />
      <span class="grow">{textOf(connection, texts, format, Date.now())}</span>
      {connection.state === 'waiting' && (
        <Button onClick={() => store.connect()}>{texts.shell.retryNow}</Button>
      )}
      {connection.state === 'refused' && <Button onClick={onSignIn}>{texts.shell.signInAgain}</Button>}
    </div>
  )
}

function textOf(connection: ConnectionView, { shell }: Texts, format: Format, now: number): string {
  switch (connection.state) {
    case 'catching_up':
      return shell.catchingUp
    case 'offline':
      return shell.offlineSince(format.short(connection.since))
    case 'waiting': {
      const seconds = now === 0 ? 0 : Math.ceil((connection.retryAt - now) / 1_000)
      return shell.waiting(format.short(connection.since), seconds)
    }
    case 'refused':
      return shell.refused
    default:
      return shell.connecting
  }
}

/** Renders again each second. */
function useTick(isOn: boolean): void {
  const [, setTicks] = useState(0)
  useEffect(() => {
    if (!isOn) return
    const timer = setInterval(() => setTicks((ticks) => ticks + 1), TICK_MS)
    return () => clearInterval(timer)
  }, [isOn])
}
