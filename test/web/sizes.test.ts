/**
 * Accessibility at sizes that are far from the usual ones: a narrow phone, a zoom of 200 %, and 4K; and of the
 * pages that describe the APIs.
 */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { violationsOf } from './support/axe.ts'
import { aContext, signIn } from './support/browser.ts'
import { aGroup, composerOf, openGroup, request, write } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

const themes = ['light', 'dark'] as const

/** What Swagger UI itself does, which styles cannot change. */
const ofSwagger =
  /^(nested-interactive: <button [^>]*class="opblock-summary-control"|heading-order: <h3 class="opblock-tag")/

/** Fails for what axe finds, and for a page that is wider than the window. */
async function expectAccessible(page: Page, name: string): Promise<void> {
  const found = (await violationsOf(page)).filter((one) => !ofSwagger.test(one))
  expect([name, found]).toEqual([name, []])
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect([name, Math.max(0, tooWide)]).toEqual([name, 0])
}

/** The same in both themes. */
async function expectAccessibleInThemes(page: Page, name: string): Promise<void> {
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await expectAccessible(page, `${name}, ${colorScheme}`)
  }
}

describe('axe', () => {
  it.each([
    ['320 pixels', { viewport: { width: 320, height: 640 } }],
    // A window of 1280 by 800.
    ['a zoom of 200 %', { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
    ['4K', { viewport: { width: 3_840, height: 2_160 } }],
  ])('finds nothing on the chat page at %s', async (_, options) => {
    const server = await aWebServer()
    const groupId = await aGroup(
      server,
      ['ana', 'bruno'],
      'Kitchen with a name that is long enough to be cut',
    )
    const content = `**olá** \`code\` https://example.com/${'long'.repeat(40)}\n\`\`\`\n${'wide '.repeat(60)}\n\`\`\``
    await request(server, 'bruno', `groups/${groupId}/messages`, { content })
    const { page, expectQuiet } = await signIn(server, 'ana', options)
    await page.getByRole('link', { name: /Kitchen/ }).waitFor()
    await expectAccessibleInThemes(page, 'groups')
    await openGroup(page, 'Kitchen')
    await write(page, '> quoted\n\n- one\n  1. inside\n     - and inside of that\n- two')
    await page.getByText('and inside of that').last().waitFor()
    await expectAccessibleInThemes(page, 'conversation')
    await composerOf(page).fill('line\n'.repeat(30))
    await expectAccessibleInThemes(page, 'a long text')
    await composerOf(page).fill('')
    for (const [name, keys] of [
      ['jump', 'Control+k'],
      ['keys', 'Control+/'],
    ] as const) {
      await page.keyboard.press(keys)
      await page.getByRole('dialog').waitFor()
      await expectAccessibleInThemes(page, name)
      await page.keyboard.press('Escape')
      await expect.poll(() => page.locator('dialog[open]').count()).toBe(0)
    }
    for (const panel of ['members', 'pins', 'search']) {
      await page.evaluate((hash) => location.assign(hash), `#/g/${groupId}?panel=${panel}`)
      await page.getByRole('complementary').waitFor()
      await expectAccessibleInThemes(page, panel)
    }
    expectQuiet()
  })

  it.each(['swagger', 'asyncapi'])('finds nothing on /%s', async (path) => {
    const server = await aWebServer()
    for (const colorScheme of themes) {
      // Loaded for each theme: the colours of Swagger UI change slowly.
      const page = await (await aContext({ colorScheme })).newPage()
      await page.goto(`${server.url}/${path}`)
      await page.getByRole('heading').nth(3).waitFor()
      await expectAccessible(page, `${path}, ${colorScheme}`)
    }
  })
})
