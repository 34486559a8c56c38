/**
 * Browser: one headless Chromium for a test file, and people in it.
 *
 * Each person has a context of their own, as if at another computer: own storage, cache, service worker and
 * network. What a page writes to its console as an error, and every exception that it does not catch, is
 * collected; `expectQuiet` shows that there was none.
 */
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { afterAll, expect, onTestFinished } from 'vitest'
import { tokenOf } from '../../support/server-process.ts'
import { chromiumPath } from './chromium.ts'

/** High, so that the messages of a test are all in the document: the list holds those near the viewport. */
const viewport = { width: 1280, height: 1_600 }
const ACTION_TIMEOUT_MS = 40_000
let browser: Promise<Browser> | undefined

afterAll(async () => {
  const open = browser
  browser = undefined
  await (await open)?.close()
})

/** The browser of this test file. */
function theBrowser(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: chromiumPath,
    // Fake devices, and permission to use them, for calls and voice messages.
    args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  })
  return browser
}

/** A context for a page that needs no user. Closed after the test. */
export async function aContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await (await theBrowser()).newContext({ locale: 'en-GB', viewport, ...options })
  context.setDefaultTimeout(ACTION_TIMEOUT_MS)
  onTestFinished(() => context.close())
  return context
}

/** Someone at a computer of their own. */
export interface PersonInBrowser {
  readonly userId: string
  readonly token: string
  readonly context: BrowserContext
  /** The tab that was opened last. */
  readonly page: Page
  /** Errors of all tabs. */
  readonly errors: string[]
  /** Opens a further tab, signed in already. */
  openTab(hash?: string): Promise<Page>
  /** Cuts or restores the network of all tabs. */
  setOffline(isOffline: boolean): Promise<void>
  /** Fails if a tab has reported an error; requests that failed without a network are none. */
  expectQuiet(): void
}

/** Opens the page of a server, signed in by a token in the address. */
export async function signIn(
  server: { readonly port: number },
  userId: string,
  options: BrowserContextOptions = {},
): Promise<PersonInBrowser> {
  const context = await aContext(options)
  const token = await tokenOf(userId)
  const errors: string[] = []
  const url = `http://127.0.0.1:${server.port}/`
  const openTab = async (hash = ''): Promise<Page> => {
    const page = await context.newPage()
    collectErrors(page, errors)
    person.page = page
    await page.goto(url + hash)
    return page
  }
  const person = {
    userId,
    token,
    context,
    errors,
    page: undefined as unknown as Page,
    openTab,
    setOffline: (isOffline: boolean) => context.setOffline(isOffline),
    expectQuiet: () => expect(errors).toEqual([]),
  }
  await openTab(`#token=${token}`)
  return person
}

/** The browser deletes its databases while the tabs that use them are open. */
export async function evictDatabases(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (const { name = '' } of await indexedDB.databases()) {
      await new Promise((resolve) => {
        const request = indexedDB.deleteDatabase(name)
        request.onsuccess = resolve
        request.onerror = resolve
      })
    }
  })
}

/** Collects what a tab reports. */
export function collectErrors(page: Page, errors: string[]): void {
  page.on('pageerror', (error) => errors.push(`${error.name}: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !isOfNetwork(message.text())) errors.push(message.text())
  })
}

/** Chromium reports each request and socket that fails; a server that is stopped by a test causes many. */
function isOfNetwork(text: string): boolean {
  return /net::ERR_|WebSocket connection to|the server responded with a status of 50[234]/.test(text)
}
