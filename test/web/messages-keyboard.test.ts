/**
 * A conversation by keyboard alone: the list is one Tab stop, and every action of a message has a key.
 */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, composerOf, expectShown, openGroup, storedIn, write } from './support/chat.ts'
import { aPeer } from './support/peer.ts'
import { aWebServer } from './support/web-server.ts'

const press = async (page: Page, ...keys: readonly string[]) => {
  for (const key of keys) await page.keyboard.press(key)
}

/** The text of the message that has the focus; null if it is elsewhere. */
const focused = (page: Page) =>
  page.evaluate(
    () => document.activeElement?.closest('[role=listitem]')?.querySelector('.text')?.textContent ?? null,
  )

/** Tab back from the composer until a message has the focus. */
async function enterList(page: Page): Promise<void> {
  await composerOf(page).focus()
  for (let i = 0; i < 8 && (await focused(page)) === null; i++) await press(page, 'Shift+Tab')
}

async function twoPeople() {
  const server = await aWebServer({ RATE_LIMIT: '0' })
  const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  const bruno = await aPeer(server, 'bruno')
  const send = (content: string) => bruno.sendMessage({ groupId, type: 'text', content })
  const ana = await signIn(server, 'ana')
  await openGroup(ana.page, 'Kitchen')
  return { server, groupId, bruno, send, ana, page: ana.page }
}

describe('a conversation by keyboard', () => {
  it('moves between messages, and returns to the composer', async () => {
    const { send, page, ana } = await twoPeople()
    for (const text of ['one', 'two', 'three']) await send(text)
    await expectShown(page, ['one', 'two', 'three'])
    await enterList(page)
    expect(await focused(page)).toBe('three')
    await press(page, 'ArrowUp')
    await expect.poll(() => focused(page)).toBe('two')
    await press(page, 'Home')
    await expect.poll(() => focused(page)).toBe('one')
    await press(page, 'End')
    await expect.poll(() => focused(page)).toBe('three')
    expect(await page.locator('[role=listitem][tabindex="0"]').count()).toBe(1)
    // What arrives does not move the focus.
    await send('four')
    await expectShown(page, ['one', 'two', 'three', 'four'])
    expect(await focused(page)).toBe('three')
    await press(page, 'Escape')
    await expect.poll(() => composerOf(page).evaluate((field) => field === document.activeElement)).toBe(true)
    // After a click on a message, letters are text and no actions.
    await page.locator('.bubble', { hasText: 'two' }).click()
    await page.keyboard.type('repeat')
    expect(await composerOf(page).inputValue()).toBe('repeat')
    ana.expectQuiet()
  })

  it('sends, edits, answers, reacts, pins and deletes', async () => {
    const { server, groupId, send, page, ana } = await twoPeople()
    await send('question')
    await expectShown(page, ['question'])
    await write(page, 'anser')
    await expectShown(page, ['question', 'anser'])
    await page.locator('[data-state=sent], [data-state=delivered], [data-state=read]').nth(1).waitFor()
    // ArrowUp in the empty composer edits the last own message.
    await press(page, 'ArrowUp')
    const edit = page.getByRole('textbox', { name: 'Text of the message' })
    await expect.poll(() => edit.inputValue()).toBe('anser')
    await edit.fill('answer')
    await press(page, 'Enter')
    await expectShown(page, ['question', 'answer'])

    await enterList(page)
    await press(page, 'ArrowUp')
    await expect.poll(() => focused(page)).toBe('question')
    await press(page, 'r')
    await page.getByText('Reply to bruno').waitFor()
    await expect.poll(() => composerOf(page).evaluate((field) => field === document.activeElement)).toBe(true)
    await page.keyboard.type('a reply')
    await press(page, 'Enter')
    await expectShown(page, ['question', 'answer', 'a reply'])
    expect(await page.locator('.quote').textContent()).toContain('question')

    await enterList(page)
    await press(page, 'Home', '+')
    const search = page.getByRole('searchbox', { name: 'Search emoji' })
    await search.waitFor()
    await page.locator('.emoji').first().waitFor()
    await page.keyboard.type('thumbsup')
    await press(page, 'Enter')
    await page.locator('.reaction', { hasText: '👍' }).waitFor()
    await expect.poll(() => focused(page)).toBe('question')

    // The menu has every action; the focus returns to the message.
    await press(page, 'Enter')
    await page.getByRole('menu', { name: 'Actions' }).waitFor()
    for (let i = 0; i < 12; i++) {
      if ((await page.evaluate(() => document.activeElement?.textContent ?? '')).startsWith('Pin')) break
      await press(page, 'ArrowDown')
    }
    await press(page, 'Enter')
    await page.locator('[data-key] [title=pinned]').waitFor()
    await expect.poll(() => focused(page)).toBe('question')

    await press(page, 'End', 'Delete')
    await page.getByRole('dialog', { name: 'Delete this message?' }).waitFor()
    await press(page, 'Enter')
    await page.locator('.tombstone').waitFor()
    await expect
      .poll(() => storedIn(server, 'ana', groupId))
      .toEqual(expect.arrayContaining(['question', 'answer']))
    ana.expectQuiet()
  })

  it('has no keys for what the user may not do', async () => {
    const { page, bruno, send } = await twoPeople()
    await send('of bruno')
    const { messageId } = (await send('deleted')).message
    await bruno.deleteMessage({ messageId })
    await page.locator('.tombstone').waitFor()
    await enterList(page)
    for (const key of ['Delete', 'e', 'r', 'p', '+']) await press(page, key)
    expect(await page.locator('dialog[open], .mode-bar, .emoji-popover, .toast').count()).toBe(0)
    await press(page, 'ArrowUp')
    await expect.poll(() => focused(page)).toBe('of bruno')
    await press(page, 'e')
    await press(page, 'r')
    await page.getByText('Reply to bruno').waitFor()
  })

  it('has the focus in the search for emoji, whatever happens in the group meanwhile', async () => {
    const { send, page, ana } = await twoPeople()
    await send('one')
    await expectShown(page, ['one'])
    await enterList(page)
    await press(page, '+')
    const search = page.getByRole('searchbox', { name: 'Search emoji' })
    await page.locator('.emoji').first().waitFor()
    const isFocused = () => search.evaluate((field) => field === document.activeElement)
    await expect.poll(isFocused).toBe(true)
    await send('two')
    await expectShown(page, ['one', 'two'])
    expect(await isFocused()).toBe(true)
    await press(page, 'Escape')
    await expect.poll(() => focused(page)).toBe('one')
    ana.expectQuiet()
  })

  it('completes mentions and emoji, and does not send while an input method composes', async () => {
    const { server, groupId, page } = await twoPeople()
    await composerOf(page).focus()
    await page.keyboard.type('hi @bru')
    await page.getByRole('option', { name: /bruno/ }).waitFor()
    await press(page, 'Enter')
    await expect.poll(() => composerOf(page).inputValue()).toBe('hi @bruno ')
    await page.keyboard.type(':smile')
    await page.getByRole('option', { name: /smil/ }).first().waitFor()
    await press(page, 'Tab')
    await expect.poll(() => composerOf(page).inputValue()).toMatch(/^hi @bruno \p{Extended_Pictographic}/u)
    await composerOf(page).evaluate((field) => {
      const key = { key: 'Enter', bubbles: true, cancelable: true }
      field.dispatchEvent(new KeyboardEvent('keydown', { ...key, isComposing: true }))
      field.dispatchEvent(new KeyboardEvent('keydown', { ...key, keyCode: 229 } as KeyboardEventInit))
    })
    expect(await composerOf(page).inputValue()).not.toBe('')
    await press(page, 'Shift+Enter')
    await page.keyboard.type('second line')
    await press(page, 'Enter')
    await expect.poll(() => composerOf(page).inputValue()).toBe('')
    await expect
      .poll(async () => (await storedIn(server, 'bruno', groupId)).at(-1))
      .toContain('\nsecond line')
    expect(await page.locator('.mention').textContent()).toBe('@bruno')
  })
})
