/**
 * Main: the page of the socket API at `/asyncapi`.
 */
import { render } from 'preact'
import { setUpPage } from '../site/page-texts.ts'
import { en } from './i18n/en.ts'
import { AsyncApiPage } from './page.tsx'
import './asyncapi.css'

const { preferences, language, format } = setUpPage()
const texts = language === 'en' ? en : (await import('./i18n/pt.ts')).pt
document.title = `${texts.title} · Tertulia`
const root = document.querySelector('#app')
if (root) render(<AsyncApiPage texts={texts} format={format} preferences={preferences} />, root)
