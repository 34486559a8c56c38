/**
 * Parts of the page that cannot be loaded when they are needed: without a network, and from a server that was updated and
 * has files of other names. Without a service worker, which would have stored the parts.
 */
import type { BrowserContext } from 'playwright-core'
import { expect, it } from 'vitest'
import { tokenOf } from '../support/server-process.ts'
import { aContext, type PersonInBrowser, signIn } from './support/browser.ts'
import { aGroup, composerOf, openGroup, storedIn } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

const unreachable = /A part of this page is not loaded, and there is no connection/
const removed = /A part of this page could not be loaded. There may be a new version/

/** Ana, who is in the group `Kitchen` and has not opened it. */
async function anaWithoutWorker() {
  const server = await aWebServer()
  const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  const ana = await signIn(server, 'ana', { serviceWorkers: 'block' })
  await ana.page.getByRole('link', { name: 'Kitchen' }).waitFor()
  return { server, groupId, ana }
}

const banners = ({ page }: PersonInBrowser) => page.getByRole('region', { name: 'Connection' })

/** The server has other scripts, until the returned function is called. */
async function removeAssets(context: BrowserContext) {
  const assets = /\/assets\/.*\.js$/
  await context.route(assets, (route) => route.fulfill({ status: 404 }))
  return () => context.unroute(assets)
}

it('are loaded as soon as there is a network, and the page says what it waits for', async () => {
  const { ana } = await anaWithoutWorker()
  await openGroup(ana.page, 'Kitchen')
  await ana.setOffline(true)
  await ana.page.getByRole('button', { name: 'Search messages' }).click()
  await banners(ana).getByText(unreachable).waitFor()
  expect(await ana.page.getByRole('searchbox', { name: 'Search for words' }).count()).toBe(0)
  await ana.setOffline(false)
  await ana.page.getByRole('searchbox', { name: 'Search for words' }).waitFor()
  await expect.poll(() => banners(ana).getByText(unreachable).count()).toBe(0)
  ana.expectQuiet()
})

it('are offered with a reload where the server was updated, and a draft stays', async () => {
  const { ana } = await anaWithoutWorker()
  await openGroup(ana.page, 'Kitchen')
  await composerOf(ana.page).fill('half a sent')
  const update = await removeAssets(ana.context)
  await ana.page.getByRole('button', { name: 'Emoji', exact: true }).click()
  await banners(ana).getByText(removed).waitFor()
  await ana.page.keyboard.press('Escape')
  await expect.poll(() => banners(ana).getByText(removed).count()).toBe(0)

  await ana.page.getByRole('button', { name: 'Emoji', exact: true }).click()
  await banners(ana).getByText(removed).waitFor()
  await update()
  await banners(ana).getByRole('button', { name: 'Reload' }).click()
  await expect.poll(() => composerOf(ana.page).inputValue()).toBe('half a sent')
  await ana.page.getByRole('button', { name: 'Emoji', exact: true }).click()
  await ana.page.getByRole('button', { name: 'grinning face', exact: true }).waitFor()
})

it('have their styles, also if only these could not be loaded at first', async () => {
  const server = await aWebServer()
  await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  const [, first = ''] = /href="\.\/(assets\/[^"]+\.css)"/.exec(await (await fetch(server.url)).text()) ?? []
  const context = await aContext({ serviceWorkers: 'block' })
  const isLater = ({ href }: URL) => href.endsWith('.css') && !href.endsWith(first)
  let requested = 0
  await context.route(isLater, (route) => {
    requested += 1
    return requested === 1 ? route.abort() : route.continue()
  })
  const page = await context.newPage()
  await page.goto(`${server.url}/#token=${await tokenOf('ana')}`)
  await page.getByRole('link', { name: 'Kitchen' }).click()
  await composerOf(page).waitFor()
  expect(requested).toBeGreaterThan(0)
  await expect.poll(() => page.evaluate(() => document.styleSheets.length)).toBe(2)
})

it('such as a language are reported as missing, and the page changes to it as soon as there is a network', async () => {
  const { ana } = await anaWithoutWorker()
  await ana.page.getByRole('button', { name: /ana/ }).click()
  const dialog = ana.page.getByRole('dialog')
  await dialog.getByLabel('Language').waitFor()
  await ana.setOffline(true)
  await dialog.getByLabel('Language').selectOption('pt')
  await dialog.getByText(unreachable).waitFor()
  expect(await ana.page.evaluate(() => document.documentElement.lang)).toBe('en')
  await ana.setOffline(false)
  await dialog.getByLabel('Idioma').waitFor()
  expect(await ana.page.evaluate(() => document.documentElement.lang)).toBe('pt')
  await expect.poll(() => dialog.getByText(unreachable).count()).toBe(0)
  ana.expectQuiet()
})

it('are no longer missed when a language that is there is chosen', async () => {
  const { ana } = await anaWithoutWorker()
  await ana.page.getByRole('button', { name: /ana/ }).click()
  const dialog = ana.page.getByRole('dialog')
  // The settings are such a part themselves.
  await dialog.getByLabel('Language').waitFor()
  await ana.setOffline(true)
  await dialog.getByLabel('Language').selectOption('pt')
  await dialog.getByText(unreachable).waitFor()
  await dialog.getByLabel('Language').selectOption('en')
  await expect.poll(() => dialog.getByText(unreachable).count()).toBe(0)
})

/** Sends a text file with a text. */
async function sendFile({ page }: PersonInBrowser, text: string): Promise<void> {
  const file = { name: 'bread.txt', mimeType: 'text/plain', buffer: Buffer.from('bread') }
  await page.locator('input[type=file]').setInputFiles(file)
  const dialog = page.getByRole('dialog', { name: 'Send a file' })
  await dialog.getByRole('textbox', { name: 'Add a text' }).fill(text)
  await dialog.getByRole('button', { name: 'Send', exact: true }).click()
}

it('that send files are loaded as soon as there is a network', async () => {
  const { server, groupId, ana } = await anaWithoutWorker()
  await openGroup(ana.page, 'Kitchen')
  await ana.setOffline(true)
  await sendFile(ana, 'The bread')
  await banners(ana).getByText(unreachable).waitFor()
  await ana.setOffline(false)
  await ana.page.getByRole('link', { name: 'Download bread.txt' }).waitFor()
  expect(await storedIn(server, 'ana', groupId)).toEqual(['The bread'])
})

it('that send files are loaded after the reload that the page offers, and the file arrives', async () => {
  const { server, groupId, ana } = await anaWithoutWorker()
  await openGroup(ana.page, 'Kitchen')
  const update = await removeAssets(ana.context)
  await sendFile(ana, 'The bread')
  await banners(ana).getByText(removed).waitFor()
  await update()
  await banners(ana).getByRole('button', { name: 'Reload' }).click()
  await ana.page.getByRole('link', { name: 'Download bread.txt' }).waitFor()
  expect(await storedIn(server, 'ana', groupId)).toEqual(['The bread'])
})
