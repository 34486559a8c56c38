/**
 * Language of the page: the user's choice, else the browser's. While the texts of another language are
 * loaded the page stays in the present one.
 */
import { useEffect, useState } from 'preact/hooks'
import type { View } from '../../client/store/types.ts'
import type { Preferences } from '../settings/preferences.ts'
import { useView } from '../shell.ts'
import { chooseLanguage, en, type Language, loadTexts, type Texts } from './texts.ts'

export interface LanguageTexts {
  readonly language: Language
  readonly texts: Texts
}

/** The texts for the preferences as they are now; the English ones if they cannot be loaded. */
export async function textsFor({ language }: Preferences): Promise<LanguageTexts> {
  const chosen = language === 'auto' ? chooseLanguage(navigator.languages) : language
  return await loadTexts(chosen).then(
    (texts) => ({ language: chosen, texts }),
    () => ({ language: 'en', texts: en }),
  )
}

/** The same, for a component; `first` was loaded before it is rendered. */
export function useLanguage(preferences: View<Preferences>, first: LanguageTexts): LanguageTexts {
  const wanted = useView(preferences)
  const [current, setCurrent] = useState(first)
  useEffect(() => {
    let isCurrent = true
    void textsFor(wanted).then((loaded) => {
      if (isCurrent) setCurrent((shown) => (shown.language === loaded.language ? shown : loaded))
    })
    return () => {
      isCurrent = false
    }
  }, [wanted])
  return current
}
