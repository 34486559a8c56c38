/**
 * Main: starts the page of the server at `/`.
 */
import { render } from 'preact'
import { textsFor } from './i18n/use-language.ts'
import { addressNavigation } from './navigation.ts'
import { openStore, Page } from './page.tsx'
import { openSession } from './session/session.ts'
import { openPreferences } from './settings/preferences.ts'
import './theme/index.css'

const preferences = openPreferences()
// First: a token is in the address, where a place is afterwards.
const { session, replaced } = openSession()
const navigation = addressNavigation()
const root = document.querySelector('#app')

async function start(): Promise<void> {
  // Another user of this device: nothing of the one before remains.
  if (replaced) await openStore(replaced).signOut()
  const first = await textsFor(preferences.getSnapshot())
  if (root) render(<Page {...{ preferences, navigation, first, session }} />, root)
}

void start()
