/**
 * Accessibility: every screen in every theme without a violation of axe, and all of it by keyboard.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { aContext, signIn } from './support/browser.ts'
import { aGroup, composerOf, expectShown, openGroup, request, write } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

/** The violations of a page, as lines. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const found = await page.evaluate(
    (values) =>
      (
        globalThis as unknown as {
          axe: { run(context: Document, options: object): Promise<{ violations: Violation[] }> }
        }
      ).axe
        .run(document, { runOnly: values })
        .then(({ violations }) => violations),
    tags,
  )
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  )
}

const themes = ['light', 'dark', 'light contrast', 'dark contrast'] as const

async function setTheme(page: Page, theme: (typeof themes)[number]): Promise<void> {
  await page.emulateMedia({
    colorScheme: theme.startsWith('dark') ? 'dark' : 'light',
    contrast: theme.endsWith('contrast') ? 'more' : 'no-preference',
    reducedMotion: 'reduce',
  })
}

describe('axe', () => {
  it('finds nothing on the sign-in screen', async () => {
    const server = await aWebServer()
    const page = await (await aContext()).newPage()
    await page.goto(server.url)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    for (const theme of themes) {
      await setTheme(page, theme)
      expect([theme, await violationsOf(page)]).toEqual([theme, []])
    }
  })

  it('finds nothing on the screens of the frame and the conversation', async () => {
    const server = await aWebServer()
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    await request(server, 'bruno', `groups/${groupId}/messages`, {
      content: '**olá** `code` https://example.com',
    })
    const { page, expectQuiet } = await signIn(server, 'ana')
    await openGroup(page, 'Kitchen')
    await write(page, '> quoted\n\n- one\n  1. inside\n- two')
    const showPanel = (panel: string) =>
      page.evaluate((hash) => location.assign(hash), `#/g/${groupId}?panel=${panel}`)
    const screens: readonly (readonly [string, () => Promise<void>])[] = [
      ['conversation', async () => undefined],
      ['jump', () => page.keyboard.press('Control+k')],
      ['keys', () => page.keyboard.press('Control+/')],
      ['settings', () => page.getByRole('button', { name: 'Settings' }).click()],
      ['requests', () => page.getByRole('button', { name: 'Invitations and requests' }).click()],
      ['menu', () => page.getByRole('button', { name: 'New chat' }).click()],
      ['members', () => showPanel('members')],
      ['pins', () => showPanel('pins')],
      ['search', () => showPanel('search')],
    ]
    for (const [name, open] of screens) {
      await open()
      if (['jump', 'keys', 'settings', 'requests'].includes(name)) await page.getByRole('dialog').waitFor()
      if (['members', 'pins', 'search'].includes(name)) await page.getByRole('complementary').waitFor()
      for (const theme of themes) {
        await setTheme(page, theme)
        expect([name, theme, await violationsOf(page)]).toEqual([name, theme, []])
      }
      await page.keyboard.press('Escape')
      await expect.poll(() => page.locator('dialog[open], :popover-open').count()).toBe(0)
    }
    expectQuiet()
  })
})

describe('the keyboard', () => {
  it('moves between the regions and the chats, and never loses the focus', async () => {
    const server = await aWebServer()
    for (const name of ['Kitchen', 'Garden']) await aGroup(server, ['ana', 'bruno'], name)
    const { page } = await signIn(server, 'ana')
    const focused = () =>
      page.evaluate(() => document.activeElement?.closest('[data-region]')?.getAttribute('aria-label'))
    await openGroup(page, 'Kitchen')
    await expect.poll(focused).toBe('Conversation')
    await page.keyboard.press('F6')
    expect(await focused()).toBe('Groups')
    await page.keyboard.press('F6')
    expect(await focused()).toBe('Conversation')
    await page.keyboard.press('Alt+ArrowUp')
    await page.keyboard.press('Alt+ArrowUp')
    await page.getByRole('textbox', { name: 'Message to Garden' }).waitFor()
    await expect.poll(focused).toBe('Conversation')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('kit')
    await page.keyboard.press('Enter')
    await page.getByRole('textbox', { name: 'Message to Kitchen' }).waitFor()
    await expect.poll(focused).toBe('Conversation')
    // A dialog returns the focus.
    await composerOf(page).focus()
    await page.keyboard.press('Control+/')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => composerOf(page).evaluate((field) => field === document.activeElement)).toBe(true)
  })

  it('opens the search of messages, which the list of keys names, and leaves Ctrl+F to the browser', async () => {
    const server = await aWebServer()
    await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const { page } = await signIn(server, 'ana')
    await openGroup(page, 'Kitchen')
    await page.evaluate(() => {
      const taken: boolean[] = []
      Object.assign(globalThis, { taken })
      addEventListener('keydown', (event) => event.key === 'f' && taken.push(event.defaultPrevented))
    })
    await composerOf(page).press('Control+f')
    expect(await page.evaluate(() => (globalThis as unknown as { taken: boolean[] }).taken)).toEqual([false])
    await page.keyboard.press('Control+/')
    await page
      .getByRole('dialog', { name: 'Keyboard' })
      .getByText(/^Search messages; Ctrl\+F finds/)
      .waitFor()
    await page.keyboard.press('Escape')
    const field = page.getByRole('searchbox', { name: 'Search for words' })
    const hasFocus = () => field.evaluate((input) => input === document.activeElement)
    await page.keyboard.press('Control+Shift+F')
    await field.waitFor()
    await expect.poll(hasFocus).toBe(true)
    await composerOf(page).focus()
    await page.keyboard.press('Control+Shift+F')
    await expect.poll(hasFocus).toBe(true)
  })

  it('closes a dialog above a panel alone, and is in the list of chats after a chat was left', async () => {
    const server = await aWebServer()
    for (const name of ['Kitchen', 'Garden']) await aGroup(server, ['bruno', 'ana'], name)
    const { page } = await signIn(server, 'ana')
    await openGroup(page, 'Kitchen')
    const leave = page.getByRole('complementary').getByRole('button', { name: 'Leave group' })
    const dialog = page.getByRole('dialog', { name: 'Leave Kitchen?' })
    await page.getByRole('button', { name: 'Members and details' }).press('Enter')
    await leave.press('Enter')
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => dialog.count()).toBe(0)
    await expect.poll(() => leave.evaluate((button) => button === document.activeElement)).toBe(true)
    await page.keyboard.press('Enter')
    await dialog.waitFor()
    await page.keyboard.press('Enter')
    const garden = page.getByRole('navigation', { name: 'Groups' }).getByRole('link', { name: 'Garden' })
    await expect.poll(() => garden.evaluate((link) => link === document.activeElement)).toBe(true)
  })

  it('creates a group and starts a direct chat', async () => {
    const server = await aWebServer()
    await aGroup(server, ['bruno', 'ana'], 'Garden')
    const { page } = await signIn(server, 'ana')
    await page.getByRole('button', { name: 'New chat' }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByLabel('Name of the group').waitFor()
    await page.keyboard.type('Kitchen')
    await page.getByRole('searchbox', { name: 'Search people' }).focus()
    await page.keyboard.type('bru')
    await page.getByRole('dialog').getByRole('button', { name: /bruno/ }).press('Enter')
    await page.getByRole('button', { name: 'Create group' }).press('Enter')
    await write(page, 'first')
    await expectShown(page, ['first'])
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('bruno')
    await page.getByRole('option', { name: /bruno/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('textbox', { name: 'Message to bruno' }).waitFor()
  })
})
