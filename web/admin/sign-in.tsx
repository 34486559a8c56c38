/**
 * Sign-in of operators: by a token, pasted here or in the address as `#token=…`.
 */
import { useState } from 'preact/hooks'
import { Button } from '../ui/button.tsx'
import type { AdminError } from './admin-api.ts'
import type { AdminTexts } from './i18n/en.ts'

interface SignInProps {
  readonly texts: AdminTexts
  /** Why the last token was refused. */
  readonly error: AdminError | null
  readonly onToken: (token: string) => void
}

const COMMAND = 'tertulia token --user olga --admin'

export function SignIn({ texts, error, onToken }: SignInProps) {
  const [token, setToken] = useState('')
  return (
    <main class="site-main sign-in-admin">
      <form
        class="card stack"
        onSubmit={(event) => {
          event.preventDefault()
          onToken(token.trim())
        }}
      >
        <h1>{texts.signInTitle}</h1>
        {error !== null && (
          <p role="alert" class="refusal">
            {error.status === 403 ? texts.notAdmin : `${texts.refused} ${error.message}`}
          </p>
        )}
        <p class="soft">
          {texts.signInText} <code>{COMMAND}</code>
        </p>
        <label class="label">
          {texts.token}
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
          {texts.signIn}
        </Button>
      </form>
    </main>
  )
}
