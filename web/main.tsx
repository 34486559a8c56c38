/**
 * Main: the page of the server at `/`.
 */
import { render } from 'preact'
import { chooseLanguage, loadTexts } from './i18n/texts.ts'
import { SignIn } from './session/sign-in.tsx'
import { openPreferences } from './settings/preferences.ts'
import './theme/index.css'

const preferences = openPreferences()
const { language } = preferences.getSnapshot()
const chosen = language === 'auto' ? chooseLanguage(navigator.languages) : language
const texts = await loadTexts(chosen)
document.documentElement.lang = chosen
const root = document.querySelector('#app')
if (root) render(<SignIn texts={texts} preferences={preferences} onToken={() => undefined} />, root)
