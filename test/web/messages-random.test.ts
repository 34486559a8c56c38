/**
 * The page under random actions, by a seed: no message is shown twice, what is pending becomes sent or
 * failed, nothing is lost, and the console shows no error.
 */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { type PersonInBrowser, signIn } from './support/browser.ts'
import { aGroup, composerOf, openGroup, storedIn, write } from './support/chat.ts'
import { aPeer, sendMany } from './support/peer.ts'
import { aWebServer } from './support/web-server.ts'

const ACTIONS = 60

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The keys, seqs and states of the messages in the document. */
const shown = (page: Page) =>
  page.locator('[data-key][data-state]').evaluateAll((rows) =>
    rows.map((row) => ({
      key: row.getAttribute('data-key'),
      seq: row.getAttribute('data-seq'),
      state: row.getAttribute('data-state'),
    })),
  )

async function expectNoTwins(page: Page): Promise<void> {
  const rows = await shown(page)
  const keys = rows.map((row) => row.key)
  const seqs = rows.flatMap((row) => (row.seq === null ? [] : [row.seq]))
  expect(new Set(keys).size).toBe(keys.length)
  expect(new Set(seqs).size).toBe(seqs.length)
  expect([...seqs].sort((a, b) => Number(a) - Number(b))).toEqual(seqs)
}

describe('random actions', () => {
  it.each([1, 2])('of seed %i show no message twice, and lose none', async (seed) => {
    const random = randomOf(seed)
    const server = await aWebServer({ RATE_LIMIT: '0' })
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const bruno = await aPeer(server, 'bruno')
    await sendMany(
      bruno,
      groupId,
      Array.from({ length: 120 }, (_, i) => `old ${i}`),
    )
    const ana: PersonInBrowser = await signIn(server, 'ana')
    const { page } = ana
    await openGroup(page, 'Kitchen')
    await page.locator('[data-state]').first().waitFor()

    const sent: string[] = []
    const press = (key: string) => page.keyboard.press(key)
    const row = page.locator('[role=listitem][tabindex="0"]')
    const actions: Readonly<Record<string, () => Promise<unknown>>> = {
      send: async () => {
        const text = `message ${sent.length} of ana`
        sent.push(text)
        await write(page, text)
      },
      arrive: () => bruno.sendMessage({ groupId, type: 'text', content: `hello ${random()}` }),
      up: () => page.locator('.list-scroller').evaluate((list) => list.scrollBy(0, -900)),
      down: () => page.locator('.list-scroller').evaluate((list) => list.scrollBy(0, 700)),
      newest: async () => {
        const button = page.getByRole('button', { name: /new message|newest/ })
        if (await button.isVisible()) await button.click()
      },
      jump: () =>
        page.evaluate(
          (hash) => location.assign(hash),
          `#/g/${groupId}?seq=${1 + Math.floor(random() * 120)}`,
        ),
      focus: async () => {
        await row.first().focus()
        await press(random() < 0.5 ? 'ArrowUp' : 'PageUp')
      },
      menu: async () => {
        await row.first().focus()
        await press('Enter')
        await press('ArrowRight')
        await press('Enter')
      },
      reply: async () => {
        await row.first().focus()
        await press('r')
        await press('Escape')
      },
      offline: () => ana.setOffline(true),
      online: () => ana.setOffline(false),
      typing: async () => {
        await composerOf(page).fill('half a mess')
        await composerOf(page).fill('')
      },
    }
    const names = Object.keys(actions)
    for (let i = 0; i < ACTIONS; i++) {
      const name = names[Math.floor(random() * names.length)] as string
      await actions[name]?.()
      // Whatever an action has opened.
      for (const open of ['.emoji-popover', '.action-menu', 'dialog[open]']) {
        if (await page.locator(open).isVisible()) await press('Escape')
      }
      await expectNoTwins(page)
    }

    await ana.setOffline(false)
    await actions['newest']?.()
    await expect
      .poll(async () => (await shown(page)).filter(({ state }) => state === 'pending' || state === 'failed'))
      .toEqual([])
    await expect
      .poll(async () => (await storedIn(server, 'ana', groupId)).filter((text) => text.endsWith('of ana')))
      .toEqual(sent)
    await expectNoTwins(page)
    ana.expectQuiet()
  })
})
