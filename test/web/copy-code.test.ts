import type { BrowserContextOptions } from 'playwright-core'
import { expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, openGroup, request } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

it('copies a block of code, without the marks around it', async () => {
  const server = await aWebServer()
  const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  const content = 'like this:\n```js\nconst bread = 1\nbake(bread)\n```\nat nine'
  await request(server, 'bruno', `groups/${groupId}/messages`, { content, tempId: 'one' })
  const { page, expectQuiet } = await signIn(server, 'ana', {
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  await openGroup(page, 'Kitchen')
  await page.locator('.code').getByRole('button', { name: 'Copy text' }).click()
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toBe('const bread = 1\nbake(bread)')
  expectQuiet()
})

it.each<readonly [string, BrowserContextOptions]>([
  ['a mouse', {}],
  ['a finger', { viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true }],
])('does not cover the code by its button for %s', async (_, options) => {
  const server = await aWebServer()
  const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  await request(server, 'bruno', `groups/${groupId}/messages`, {
    content: '```\nbread = 1\n```',
    tempId: 'one',
  })
  const { page } = await signIn(server, 'ana', options)
  await openGroup(page, 'Kitchen')
  const gap = () =>
    page.locator('.code').evaluate((code) => {
      const text = document.createRange()
      text.selectNodeContents(code.querySelector('code') as Element)
      const button = code.querySelector('button') as Element
      return button.getBoundingClientRect().left - text.getBoundingClientRect().right
    })
  expect(await gap()).toBeGreaterThanOrEqual(4)
})
