/**
 * Sign-in: asks for a token. A server for development offers to choose a name instead.
 */
import { useState } from 'preact/hooks'
import type { Texts } from '../i18n/texts.ts'
import type { PreferencesView } from '../settings/preferences.ts'
import { useTheme } from '../theme/use-theme.ts'
import { Button } from '../ui/button.tsx'

interface SignInProps {
  readonly texts: Texts
  readonly preferences: PreferencesView
  /** Why the last token was not accepted. */
  readonly refusal?: string | undefined
  readonly onToken: (token: string) => void
}

export function SignIn({ texts: { shell }, preferences, refusal, onToken }: SignInProps) {
  const theme = useTheme(preferences)
  const [token, setToken] = useState('')
  return (
    <main class="tertulia sign-in" {...theme}>
      <div class="sign-in-card stack">
        <img src="icon.svg" alt="" width={56} height={56} />
        <h1>{shell.signInTitle}</h1>
        {refusal !== undefined && <p role="alert">{shell.signInRefused(refusal)}</p>}
        <p class="soft">{shell.signInText}</p>
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault()
            onToken(token.trim())
          }}
        >
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
        <p class="sign-in-links row soft">
          {shell.about}: <a href="swagger">{shell.httpApi}</a> <a href="asyncapi">{shell.asyncApi}</a>{' '}
          <a href="admin">{shell.dashboard}</a>
        </p>
      </div>
    </main>
  )
}
