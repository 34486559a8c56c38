/**
 * Texts: what the page says, in each language, one table for each area.
 *
 * The English tables define the keys; the others have the same type, so that a missing or misspelt key
 * does not compile. English is loaded with the page, another language when it is chosen.
 */
import { conversation } from './en/conversation.ts'
import { shell } from './en/shell.ts'
import { talk } from './en/talk.ts'

export const en = { shell, conversation, talk }

export type Texts = typeof en

export const languages = { en: 'English', pt: 'Português' } as const

export type Language = keyof typeof languages

/** The first language of the list, in the order of the browser's, that there is a table for. */
export function chooseLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0] ?? ''
    if (language in languages) return language as Language
  }
  return 'en'
}

/** The locale for dates: the browser's, such as `pt-BR`, if it is of the language. */
export function localeOf(language: Language, wanted: readonly string[]): string {
  return wanted.find((tag) => tag.toLowerCase().startsWith(language)) ?? language
}

export async function loadTexts(language: Language): Promise<Texts> {
  if (language === 'en') return en
  const { pt } = await import('./pt/texts.ts')
  return pt
}
