/**
 * What a screen reader says: each arrival once with its author, and nothing that was there before.
 */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, composerOf, openGroup, write } from './support/chat.ts'
import { aPeer, sendMany } from './support/peer.ts'
import { aWebServer } from './support/web-server.ts'

/** Records what is announced, by `ariaNotify` or the live regions. */
async function listen(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(() => {
    const said: string[] = []
    Object.assign(globalThis, { said })
    const regions = document.querySelectorAll('[aria-live]:not([aria-live=off])')
    const observer = new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) said.push(node.textContent ?? '')
    })
    for (const region of regions) observer.observe(region, { childList: true })
    Object.assign(Element.prototype, { ariaNotify: (text: string) => said.push(text) })
  })
  return () => page.evaluate(() => (globalThis as unknown as { said: string[] }).said)
}

describe('announcements', () => {
  it('state each arrival once, in order, and never older pages or the user’s own messages', async () => {
    const server = await aWebServer({ RATE_LIMIT: '0' })
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const bruno = await aPeer(server, 'bruno')
    await sendMany(
      bruno,
      groupId,
      Array.from({ length: 250 }, (_, i) => `old ${i}`),
    )
    const { page, expectQuiet } = await signIn(server, 'ana')
    await openGroup(page, 'Kitchen')
    await page.locator('[data-state]').first().waitFor()
    const said = await listen(page)
    await composerOf(page).focus()

    const expected: string[] = []
    for (const content of ['first **bold**', 'second', 'third']) {
      await bruno.sendMessage({ groupId, type: 'text', content })
      expected.push(`bruno: ${content.replaceAll('*', '')}`)
      await expect.poll(said).toEqual(expected)
    }
    await write(page, 'my own')
    await page
      .locator('[data-state=read], [data-state=delivered], [data-state=sent]', { hasText: 'my own' })
      .waitFor()
    // Older pages, up to the beginning of the conversation.
    for (let i = 0; i < 60 && !(await page.getByText('This is the beginning').isVisible()); i++) {
      await page.locator('.list-scroller').evaluate((list) => list.scrollTo(0, 0))
      await page.evaluate(() => new Promise(requestAnimationFrame))
    }
    await page.getByText('This is the beginning').waitFor()
    // Elsewhere in the history, an arrival is announced all the same.
    await bruno.sendMessage({ groupId, type: 'text', content: 'far away' })
    expected.push('bruno: far away')
    await expect.poll(said).toEqual(expected)
    expect(await composerOf(page).evaluate((field) => field === document.activeElement)).toBe(true)

    // Muted groups are silent; afterwards only what is new is announced.
    await page.getByRole('button', { name: 'Members and details' }).click()
    await page.getByRole('button', { name: 'Mute always' }).click()
    await page.getByRole('button', { name: 'Unmute', exact: true }).waitFor()
    await bruno.sendMessage({ groupId, type: 'text', content: 'silent' })
    await page.getByRole('button', { name: 'Unmute', exact: true }).click()
    await page.getByRole('button', { name: 'Mute always' }).waitFor()
    await bruno.sendMessage({ groupId, type: 'text', content: 'loud' })
    await expect.poll(async () => (await said()).at(-1)).toBe('bruno: loud')
    expect((await said()).filter((text) => text.startsWith('bruno:'))).toEqual([...expected, 'bruno: loud'])
    expectQuiet()
  })
})
