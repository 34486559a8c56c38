/**
 * The list does not move what is read: older pages, arrivals, edits, reactions and resizes above the
 * viewport leave every visible message at its place, in every frame. Jumps end at their message.
 */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, openGroup } from './support/chat.ts'
import { aPeer, sendMany } from './support/peer.ts'
import { aWebServer } from './support/web-server.ts'

const TOTAL = 1_500
const texts = Array.from({ length: TOTAL }, (_, i) => `${i + 1}: ${'word '.repeat(1 + ((i * 7) % 60))}`)

/** Records, in every frame, how far the visible messages are from where they were when it began. */
async function watch(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const rows = () =>
      new Map(
        [...document.querySelectorAll('[data-key][data-state]')].map((row) => [
          row.getAttribute('data-key'),
          row.getBoundingClientRect(),
        ]),
      )
    const list = document.querySelector('.list-scroller')?.getBoundingClientRect() as DOMRect
    const before = [...rows()].filter(([, { top, bottom }]) => bottom > list.top + 1 && top < list.bottom - 1)
    const state = { shift: before.length > 0 ? 0 : Number.NaN, isOn: true }
    Object.assign(globalThis, { watched: state })
    const { port1, port2 } = new MessageChannel()
    // After the frame was painted.
    port1.onmessage = () => {
      const now = rows()
      for (const [key, { bottom }] of before) {
        const there = now.get(key)
        state.shift = Math.max(
          state.shift,
          there ? Math.abs(there.bottom - bottom) : Number.POSITIVE_INFINITY,
        )
      }
      if (state.isOn) requestAnimationFrame(() => port2.postMessage(null))
    }
    requestAnimationFrame(() => port2.postMessage(null))
  })
  return async () => {
    for (let i = 0; i < 3; i++) await page.evaluate(() => new Promise(requestAnimationFrame))
    return await page.evaluate(() => {
      const { watched } = globalThis as unknown as { watched: { shift: number; isOn: boolean } }
      watched.isOn = false
      return watched.shift
    })
  }
}

/** Scrolls as a reader does, but without the animation of a wheel. */
async function scroll(page: Page, y: number): Promise<void> {
  await page.locator('.list-scroller').evaluate((list, by) => list.scrollBy(0, by), y)
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  )
}

const firstSeq = (page: Page) =>
  page.evaluate(() => {
    const list = document.querySelector('.list-scroller')?.getBoundingClientRect() as DOMRect
    const rows = [...document.querySelectorAll('[data-seq]')]
    const row = rows.find((one) => one.getBoundingClientRect().bottom > list.top)
    return Number(row?.getAttribute('data-seq'))
  })

describe('the list of messages', () => {
  it('moves nothing that is read, and jumps to where it is to', async () => {
    const server = await aWebServer({ RATE_LIMIT: '0' })
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const bruno = await aPeer(server, 'bruno')
    await sendMany(bruno, groupId, texts)
    const { page, expectQuiet } = await signIn(server, 'ana')
    await openGroup(page, 'Kitchen')
    await page.locator('[data-state]').first().waitFor()

    // Jumps to any message.
    const target = (seq: number) => page.locator(`[data-seq="${seq}"]`)
    for (const seq of [700, 40, 1_200, 333, 900]) {
      await page.evaluate((hash) => location.assign(hash), `#/g/${groupId}?seq=${seq}`)
      await target(seq).waitFor()
      await expect
        .poll(() =>
          target(seq).evaluate((row) => {
            const list = document.querySelector('.list-scroller')?.getBoundingClientRect() as DOMRect
            const { top, bottom } = row.getBoundingClientRect()
            return top >= list.top && bottom <= list.bottom
          }),
        )
        .toBe(true)

      // Changes around it.
      await scroll(page, -120)
      const above = (await firstSeq(page)) - 3
      const shiftOf = await watch(page)
      const messageId = `${groupId}:${above}`
      await bruno.editMessage({ messageId, content: `edited ${'more words '.repeat(80)}` })
      await page.evaluate(() => new Promise(requestAnimationFrame))
      await bruno.react({ messageId, emoji: '🎉' })
      await bruno.sendMessage({ groupId, type: 'text', content: 'arrives' })
      await page.getByRole('button', { name: /new message|newest/ }).waitFor()
      // An image or anything else above that becomes higher; in a frame, before it is painted and measured.
      await page.evaluate(
        (id) =>
          new Promise<void>((resolve) => {
            requestAnimationFrame(() => {
              const bubble = document.querySelector(`[data-seq="${id}"] .bubble`) as HTMLElement | null
              if (bubble) bubble.style.paddingBottom = '150px'
              resolve()
            })
          }),
        above,
      )
      expect(await shiftOf()).toBeLessThanOrEqual(0.5)
    }

    // Pages that are loaded while the reader goes up move nothing either.
    for (let i = 0; i < 25; i++) {
      await scroll(page, -700)
      const shiftOf = await watch(page)
      expect(await shiftOf()).toBeLessThanOrEqual(0.5)
    }

    // Back at the end, the list follows what arrives.
    await page.getByRole('button', { name: /new message|newest/ }).click()
    await bruno.sendMessage({ groupId, type: 'text', content: 'the very last' })
    await expect
      .poll(() =>
        page.getByText('the very last').evaluateAll(([row]) => {
          const list = document.querySelector('.list-scroller')?.getBoundingClientRect() as DOMRect
          return row !== undefined && row.getBoundingClientRect().bottom <= list.bottom
        }),
      )
      .toBe(true)
    expectQuiet()
  })
})
