/**
 * Sign-in: asks for a token. A server for development offers to choose a name as well.
 */
import { useEffect, useState } from 'preact/hooks'
import type { Texts } from '../i18n/texts.ts'
import type { PreferencesView } from '../settings/preferences.ts'
import { useTheme } from '../theme/use-theme.ts'
import { Button } from '../ui/button.tsx'
import { trialKey } from './session.ts'

interface SignInProps {
  readonly texts: Texts
  readonly preferences: PreferencesView
  /** Why the last token was not accepted. */
  readonly refusal?: string | undefined
  readonly onToken: (token: string, isTrial: boolean) => void
}

export function SignIn({ texts, preferences, refusal, onToken }: SignInProps) {
  const theme = useTheme(preferences)
  const { shell } = texts
  const [hasTrial, setTrial] = useState(false)
  useEffect(() => {
    isTrialEnabled().then(setTrial, () => undefined)
  }, [])
  return (
    <main class="tertulia sign-in" {...theme}>
      <div class="sign-in-card stack">
        <img src="icon.svg" alt="" width={56} height={56} />
        <h1>{hasTrial ? shell.tryTitle : shell.signInTitle}</h1>
        {refusal !== undefined && <p role="alert">{shell.signInRefused(refusal)}</p>}
        {hasTrial && <TrialForm texts={texts} onToken={onToken} />}
        {hasTrial ? (
          <details>
            <summary>{shell.signInToken}</summary>
            <TokenForm texts={texts} onToken={onToken} />
          </details>
        ) : (
          <TokenForm texts={texts} onToken={onToken} />
        )}
        <nav class="sign-in-links row soft" aria-label={shell.about}>
          <a href="swagger">{shell.httpApi}</a>
          <a href="asyncapi">{shell.asyncApi}</a>
          <a href="admin">{shell.dashboard}</a>
        </nav>
      </div>
    </main>
  )
}

type FormProps = Pick<SignInProps, 'texts' | 'onToken'>

function TokenForm({ texts: { shell }, onToken }: FormProps) {
  const [token, setToken] = useState('')
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        onToken(token.trim(), false)
      }}
    >
      <p class="soft">{shell.signInText}</p>
      <label class="label">
        {shell.signInToken}
        <input
          class="field"
          type="password"
          autocomplete="off"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <Button kind="primary" type="submit">
        {shell.signInButton}
      </Button>
    </form>
  )
}

function TrialForm({ texts: { shell }, onToken }: FormProps) {
  const [name, setName] = useState('')
  const [isRefused, setRefused] = useState(false)
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        setRefused(false)
        trialToken(name.trim()).then(
          (token) => onToken(token, true),
          () => setRefused(true),
        )
      }}
    >
      <p class="soft">{shell.tryText}</p>
      <label class="label">
        {shell.tryName}
        <input
          class="field"
          autocomplete="off"
          required
          maxLength={64}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      {isRefused && <p role="alert">{shell.tryFailed}</p>}
      <div class="row">
        <Button kind="primary" type="submit">
          {shell.tryButton}
        </Button>
        <a href={`#trial=${trialKey()}`} target="_blank" rel="noopener">
          {shell.trySecond}
        </a>
      </div>
    </form>
  )
}

/** Whether the server gives out tokens for chosen names. */
async function isTrialEnabled(): Promise<boolean> {
  const answer = await fetch(`trial?${new URLSearchParams({ key: trialKey() })}`)
  return answer.ok && ((await answer.json()) as { enabled: boolean }).enabled
}

async function trialToken(name: string): Promise<string> {
  const body = JSON.stringify({ name, key: trialKey() })
  const answer = await fetch('trial', { method: 'POST', body })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  return ((await answer.json()) as { token: string }).token
}
