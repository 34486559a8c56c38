/**
 * Returning to a group shows the place where the reader left it, unless that was the end.
 */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, openGroup } from './support/chat.ts'
import { aPeer, sendMany } from './support/peer.ts'
import { aWebServer } from './support/web-server.ts'

/** The first visible message, and where its bottom is. */
const placeIn = (page: Page) =>
  page.evaluate(() => {
    const top = document.querySelector('.list-scroller')?.getBoundingClientRect().top ?? 0
    const rows = [...document.querySelectorAll('[data-seq]')].map((row) => ({
      seq: Number(row.getAttribute('data-seq')),
      bottom: Math.round(row.getBoundingClientRect().bottom - top),
    }))
    return rows.find(({ bottom }) => bottom > 0)
  })

const isAtEnd = (page: Page) =>
  page
    .locator('.list-scroller')
    .evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 4)

/** Scrolls as a reader does, but without the animation of a wheel. */
async function scroll(page: Page, y: number): Promise<void> {
  await page.locator('.list-scroller').evaluate((list, by) => list.scrollBy(0, by), y)
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  )
}

async function aReader(count: number) {
  const server = await aWebServer({ RATE_LIMIT: '0' })
  const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  const gardenId = await aGroup(server, ['ana', 'bruno'], 'Garden')
  const bruno = await aPeer(server, 'bruno')
  const texts = Array.from({ length: count }, (_, i) => `${i + 1}: ${'word '.repeat(1 + ((i * 7) % 40))}`)
  await sendMany(bruno, groupId, texts)
  await bruno.sendMessage({ groupId: gardenId, content: 'flowers' })
  const ana = await signIn(server, 'ana', { viewport: { width: 1280, height: 800 } })
  const { page } = ana
  await openGroup(page, 'Kitchen')
  await page.locator('[data-state]').first().waitFor()
  // All of it is read.
  const newest = page.getByRole('button', { name: /new message|newest/ })
  await newest.click()
  await expect.poll(() => isAtEnd(page)).toBe(true)
  await expect.poll(() => page.getByRole('link', { name: /Kitchen/ }).textContent()).not.toMatch(/unread/)
  const leave = async () => {
    await openGroup(page, 'Garden')
    await page.getByRole('textbox', { name: 'Message to Garden' }).waitFor()
    await page.getByText('flowers', { exact: true }).last().waitFor()
  }
  const reopen = async () => {
    await openGroup(page, 'Kitchen')
    await page.getByRole('textbox', { name: 'Message to Kitchen' }).waitFor()
  }
  return { ...ana, bruno, groupId, leave, reopen }
}

describe('a group that is opened again', () => {
  it('is where it was left, to the pixel, with the line above what arrived meanwhile', async () => {
    const { page, bruno, groupId, leave, reopen, expectQuiet } = await aReader(120)
    await scroll(page, -1_333)
    const left = await placeIn(page)
    await leave()
    await reopen()
    await expect.poll(() => placeIn(page)).toEqual(left)

    await leave()
    await bruno.sendMessage({ groupId, content: 'while away' })
    await page.getByRole('navigation', { name: 'Groups' }).getByText('while away').waitFor()
    await reopen()
    await expect.poll(() => placeIn(page)).toEqual(left)
    await page.getByRole('button', { name: '1 new message' }).click()
    await page.locator('.mark-unread').waitFor()
    const below = page.locator('.list-row:has(.mark-unread) + .list-row')
    await expect.poll(() => below.textContent()).toContain('while away')
    expectQuiet()
  })

  it('is at its end, or at what is unread, if it was left at its end', async () => {
    const { page, bruno, groupId, leave, reopen } = await aReader(120)
    await scroll(page, -1_000)
    await leave()
    await reopen()
    await scroll(page, 100_000)
    expect(await isAtEnd(page)).toBe(true)
    await leave()
    await reopen()
    await expect.poll(() => isAtEnd(page)).toBe(true)
    await leave()
    await sendMany(
      bruno,
      groupId,
      Array.from({ length: 60 }, (_, i) => `later ${i}`),
    )
    await page.getByRole('navigation', { name: 'Groups' }).getByText('later 59').waitFor()
    await reopen()
    await page.locator('.mark-unread').waitFor()
    await expect.poll(() => isAtEnd(page)).toBe(false)
    // What was not visible is not read.
    await page
      .getByRole('navigation', { name: 'Groups' })
      .getByText(/^\d+ unread messages$/)
      .waitFor()
  })

  it('is loaded at the place if the newest messages are far below it', async () => {
    const { page, groupId, leave, reopen } = await aReader(900)
    await page.evaluate((hash) => location.assign(hash), `#/g/${groupId}?seq=300`)
    await page.locator('[data-seq="300"]').waitFor()
    await scroll(page, -250)
    const left = await placeIn(page)
    expect(left?.seq).toBeLessThan(301)
    await leave()
    await reopen()
    await expect.poll(() => placeIn(page)).toEqual(left)
  })
})
