/**
 * Choices: appearance, contrast and language, shared with the chat page.
 */
import { languages } from '../i18n/texts.ts'
import type { Preferences, PreferencesView } from '../settings/preferences.ts'
import { useView } from '../shell.ts'
import type { AdminTexts } from './i18n/en.ts'

interface ChoicesProps {
  readonly texts: AdminTexts
  readonly preferences: PreferencesView
}

export function Choices({ texts, preferences }: ChoicesProps) {
  const { theme, contrast, language } = useView(preferences)
  return (
    <footer class="choices row">
      <label>
        {texts.appearance}{' '}
        <select
          class="field"
          value={theme}
          onChange={({ currentTarget }) =>
            preferences.set({ theme: currentTarget.value as Preferences['theme'] })
          }
        >
          <option value="auto">{texts.asSystem}</option>
          <option value="light">{texts.light}</option>
          <option value="dark">{texts.dark}</option>
        </select>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={contrast}
          onChange={({ currentTarget }) => preferences.set({ contrast: currentTarget.checked })}
        />
        {texts.contrast}
      </label>
      <label>
        {texts.language}{' '}
        <select
          class="field"
          value={language}
          onChange={({ currentTarget }) => {
            preferences.set({ language: currentTarget.value as Preferences['language'] })
            // Texts are loaded once, at the start.
            location.reload()
          }}
        >
          <option value="auto">{texts.asBrowser}</option>
          {Object.entries(languages).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </footer>
  )
}
