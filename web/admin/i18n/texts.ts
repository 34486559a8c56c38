/** The texts of the dashboard in a language; one other than English is loaded when it is chosen. */
import type { Language } from '../../i18n/texts.ts'
import { type AdminTexts, en } from './en.ts'

export async function loadAdminTexts(language: Language): Promise<AdminTexts> {
  if (language === 'en') return en
  const { pt } = await import('./pt.ts')
  return pt
}
