/**
 * Language of the page: the user's choice, else the browser's. While the texts of another language are
 * loaded the page stays in the present one, and says so if they cannot be loaded.
 */
import { useEffect } from 'preact/hooks'
import type { MissingParts } from '../missing-parts.ts'
import type { Preferences } from '../settings/preferences.ts'
import { chooseLanguage, en, type Language, loadTexts, type Texts } from './texts.ts'

export interface LanguageTexts {
  readonly language: Language
  readonly texts: Texts
}

/** The language that the preferences choose. */
export function languageOf({ language }: Preferences): Language {
  return language === 'auto' ? chooseLanguage(navigator.languages) : language
}

/** The texts for the preferences as they are now; the English ones if they cannot be loaded. */
export async function textsFor(preferences: Preferences): Promise<LanguageTexts> {
  const language = languageOf(preferences)
  return await loadTexts(language).then(
    (texts) => ({ language, texts }),
    () => ({ language: 'en', texts: en }),
  )
}

/** Calls `onLoaded` with the texts of `chosen`, once they are loaded, unless `shown` is that language. */
export function useChosenLanguage(
  chosen: Language,
  shown: Language,
  missingParts: MissingParts,
  onLoaded: (loaded: LanguageTexts) => void,
): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the function sets a state, whichever render made it.
  useEffect(() => {
    if (chosen === shown) return
    return missingParts.load(
      () => loadTexts(chosen),
      (texts) => onLoaded({ language: chosen, texts }),
    )
  }, [chosen, shown, missingParts])
}
