/**
 * Language of the page: the user's choice, else the browser's. While the texts of another language are
 * loaded the page stays in the present one.
 */
import { useEffect, useState } from 'preact/hooks'
import type { View } from '../../client/store/types.ts'
import type { Preferences } from '../settings/preferences.ts'
import { useView } from '../shell.ts'
import { chooseLanguage, type Language, loadTexts, type Texts } from './texts.ts'

export interface LanguageTexts {
  readonly language: Language
  readonly texts: Texts
}

/** The texts for the preferences as they are now. */
export async function textsFor({ language }: Preferences): Promise<LanguageTexts> {
  const chosen = language === 'auto' ? chooseLanguage(navigator.languages) : language
  return { language: chosen, texts: await loadTexts(chosen) }
}

/** The same, for a component; `first` was loaded before it is rendered. */
export function useLanguage(preferences: View<Preferences>, first: LanguageTexts): LanguageTexts {
  const wanted = useView(preferences)
  const [current, setCurrent] = useState(first)
  useEffect(() => {
    let isCurrent = true
    textsFor(wanted).then(
      (loaded) => {
        if (isCurrent) setCurrent((shown) => (shown.language === loaded.language ? shown : loaded))
      },
      // Without a network: the next change tries again.
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [wanted])
  return current
}
