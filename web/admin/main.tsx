/**
 * Main: the dashboard at `/admin`.
 *
 * The token of the address is removed from it, so that it is in no bookmark or screenshot. It is stored
 * for this tab, until the tab closes.
 */
import { render } from 'preact'
import { setUpPage } from '../site/page-texts.ts'
import { AdminPage } from './dashboard.tsx'
import { loadAdminTexts } from './i18n/texts.ts'
import { createUnits } from './units.ts'
import './admin.css'

const KEY = 'tertulia.admin'
const tokens = {
  get: () => sessionStorage.getItem(KEY),
  set: (token: string | null) => {
    if (token === null) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, token)
  },
}

const given = /^#token=(.+)$/.exec(location.hash)?.[1]
if (given !== undefined) {
  tokens.set(decodeURIComponent(given))
  history.replaceState(null, '', location.pathname)
}

const { preferences, language, format } = setUpPage()
const texts = await loadAdminTexts(language)
document.title = `${texts.dashboard} · Tertulia`
const root = document.querySelector('#app')
const page = { preferences, tokens, texts, format, units: createUnits(format) }
if (root) render(<AdminPage {...page} />, root)
