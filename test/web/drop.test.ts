/**
 * Files that are dragged over the page, by events of the browser's own.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/engines.ts'
import { signIn } from './support/browser.ts'
import { aGroup, composerOf, openGroup, write } from './support/chat.ts'
import { aPeer } from './support/peer.ts'
import { aWebServer } from './support/web-server.ts'

async function anaInKitchen() {
  const server = await aWebServer()
  const groupId = await aGroup(server, ['bruno', 'ana'], 'Kitchen')
  const ana = await signIn(server, 'ana')
  await openGroup(ana.page, 'Kitchen')
  return { server, groupId, ...ana, place: ana.page.locator('.drop-place') }
}

/** A file that is dragged over the page; each step is at the middle of an element. */
async function aDrag(page: Page) {
  const path = join(temporaryFolder(), 'bread.txt')
  writeFileSync(path, 'bread')
  const cdp = await page.context().newCDPSession(page)
  const data = { items: [], files: [path], dragOperationsMask: 1 }
  const step = async (type: 'dragEnter' | 'dragOver' | 'drop' | 'dragCancel', selector: string) => {
    const box = await page.locator(selector).boundingBox()
    const { x = 0, y = 0, width = 0, height = 0 } = box ?? {}
    await cdp.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data })
  }
  return {
    over: async (selector: string) => {
      await step('dragEnter', selector)
      await step('dragOver', selector)
    },
    drop: async (selector: string) => {
      await step('dragOver', selector)
      await step('drop', selector)
    },
    cancel: (selector: string) => step('dragCancel', selector),
  }
}

it('show where to drop them, which is announced and leaves the focus; a drop there offers to send them', async () => {
  const { page, place, expectQuiet } = await anaInKitchen()
  await page.evaluate(() => {
    // By `ariaNotify` the page would leave nothing to read.
    delete (Element.prototype as { ariaNotify?: unknown }).ariaNotify
  })
  await composerOf(page).focus()
  const drag = await aDrag(page)
  await drag.over('.region-groups')
  await place.getByText('Drop files here for Kitchen').waitFor()
  await drag.over('.composer')
  const said = page.locator('[aria-live=polite] p', { hasText: 'Drop files here' })
  await expect.poll(() => said.count()).toBe(1)
  expect(await composerOf(page).evaluate((field) => field === document.activeElement)).toBe(true)
  await drag.drop('.conversation')
  await page.getByRole('dialog', { name: 'Send a file' }).getByText('bread.txt').waitFor()
  expect(await place.count()).toBe(0)
  expect(await said.count()).toBe(1)
  expectQuiet()
})

it('show it no longer after they have left the page, or Escape', async () => {
  const { page, place } = await anaInKitchen()
  const drag = await aDrag(page)
  await drag.over('.conversation')
  await place.waitFor()
  await drag.cancel('.conversation')
  await expect.poll(() => place.count()).toBe(0)
  await drag.over('.conversation')
  await place.waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(() => place.count()).toBe(0)
})

it('are not accepted beside a conversation, nor by a member who is muted', async () => {
  const { server, groupId, page, place } = await anaInKitchen()
  const bruno = await aPeer(server, 'bruno')
  const drag = await aDrag(page)
  await drag.over('.region-groups')
  await place.waitFor()
  await drag.drop('.region-groups')
  await expect.poll(() => place.count()).toBe(0)
  expect(await page.getByRole('dialog').count()).toBe(0)
  expect(page.url()).toContain(groupId)

  await bruno.muteMember({ groupId, userId: 'ana' })
  await write(page, 'hello')
  await page.locator('[data-state=failed]').waitFor()
  await drag.over('.conversation')
  await drag.drop('.conversation')
  expect(await place.count()).toBe(0)
  expect(await page.getByRole('dialog').count()).toBe(0)

  await page.getByRole('link', { name: 'Kitchen' }).waitFor()
  await page.evaluate(() => {
    location.hash = '#/'
  })
  await page.getByText('Choose a chat').waitFor()
  await drag.over('main')
  await drag.drop('main')
  expect(await place.count()).toBe(0)
  expect(await page.getByRole('dialog').count()).toBe(0)
})
