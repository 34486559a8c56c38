/**
 * Page texts: the language and the format of a page beside the chat, from the choices made there.
 */
import { createFormat, type Format } from '../i18n/format.ts'
import { chooseLanguage, type Language, localeOf } from '../i18n/texts.ts'
import { openPreferences, type PreferencesView } from '../settings/preferences.ts'

export interface PageSetup {
  readonly preferences: PreferencesView
  readonly language: Language
  readonly format: Format
}

/** Sets the language of the document. */
export function setUpPage(): PageSetup {
  const preferences = openPreferences()
  const { language } = preferences.getSnapshot()
  const chosen = language === 'auto' ? chooseLanguage(navigator.languages) : language
  document.documentElement.lang = chosen
  return { preferences, language: chosen, format: createFormat(localeOf(chosen, navigator.languages)) }
}
