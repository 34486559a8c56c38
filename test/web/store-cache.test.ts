import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { aContext } from './support/browser.ts'
import type * as CachePage from './support/cache-page.ts'

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))
let program = ''

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [path('./support/cache-page.ts')],
    bundle: true,
    format: 'iife',
    globalName: 'cachePage',
    alias: { vitest: path('./support/page-vitest.ts') },
    write: false,
  })
  program = outputFiles[0]?.text ?? ''
})

declare const cachePage: typeof CachePage
declare const open: ReturnType<typeof CachePage.openTabs>

async function aPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  await page.route('https://cache.test/', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>cache</title>' }),
  )
  await page.goto('https://cache.test/')
  await page.addScriptTag({ content: program })
  return page
}

async function aTab(context: BrowserContext): Promise<Page> {
  const page = await aPage(context)
  await page.evaluate(() => Object.assign(globalThis, { open: cachePage.openTabs() }))
  return page
}

const hasLogged = (page: Page, text: string) =>
  page.waitForFunction((wanted) => open.log.includes(wanted), text)

describe('the cache of the client store in Chromium', () => {
  it('fulfils the contract of a message cache', async () => {
    const page = await aPage(await aContext())
    const { count, failures } = await page.evaluate(() => cachePage.runContract())
    expect(failures).toEqual([])
    expect(count).toBeGreaterThan(15)
  })

  it('stores a draft of the last moment before a reload', async () => {
    const page = await aPage(await aContext())
    const reloaded = page.waitForEvent('load')
    await page.evaluate(() => cachePage.drafts('Hello')).catch(() => {})
    await reloaded
    await page.addScriptTag({ content: program })
    expect(await page.evaluate(() => cachePage.drafts())).toEqual(['Hello', 'Hello'])
  })
})

describe('the tabs of the client store in Chromium', () => {
  it('have one leader, and pass the lead on after a crash and after a close', async () => {
    const context = await aContext()
    const first = await aTab(context)
    await hasLogged(first, 'lead')
    const second = await aTab(context)
    const third = await aTab(context)
    await hasLogged(second, 'join state')
    await hasLogged(third, 'join state')
    expect(await third.evaluate(() => open.tabs.request('get', {}))).toBe('get answered')
    await first.evaluate(() => open.tabs.broadcast('an event'))
    await hasLogged(second, 'an event')
    await hasLogged(third, 'an event')

    const devtools = await context.newCDPSession(first)
    devtools.send('Page.crash').catch(() => {})
    await hasLogged(second, 'lead')
    await third.waitForFunction(() => open.log.filter((entry) => entry === 'join state').length === 2)
    expect(await third.evaluate(() => open.tabs.request('get', {}))).toBe('get answered')
    await second.close()
    await hasLogged(third, 'lead')
  })
})
