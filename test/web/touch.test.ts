/**
 * Touch: what a message offers by a long press, on a screen without a pointer that hovers.
 */
import type { CDPSession, Locator } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, composerOf, openGroup, request } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

async function aPhone() {
  const server = await aWebServer()
  const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  const content = 'bread is ready, see https://a.example'
  await request(server, 'bruno', `groups/${groupId}/messages`, { content })
  const ana = await signIn(server, 'ana', {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  })
  const { page } = ana
  await openGroup(page, 'Kitchen')
  const message = page.getByRole('main').getByText('bread is ready')
  await message.waitFor()
  return { ...ana, message, session: await ana.context.newCDPSession(page) }
}

/** A finger on an element, `y` pixels away from its middle at the end. */
async function finger(session: CDPSession, on: Locator, y = 0) {
  const box = await on.boundingBox()
  if (!box) throw new Error('the element is not visible')
  const point = { x: box.x + 20, y: box.y + box.height / 2 }
  const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints })
  await send('touchStart', [point])
  if (y !== 0) await send('touchMove', [{ x: point.x, y: point.y + y }])
  return () => send('touchEnd', [])
}

describe('a message on a touch screen', () => {
  it('offers its actions by a long press, and answers to one', async () => {
    const { page, message, session, expectQuiet } = await aPhone()
    const lift = await finger(session, message)
    const menu = page.getByRole('menu')
    await menu.waitFor()
    // The end of the press chooses nothing, and leaves the menu open.
    await lift()
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))))
    expect(await menu.isVisible()).toBe(true)
    const { width, height } = page.viewportSize() ?? { width: 0, height: 0 }
    const box = await menu.boundingBox()
    expect(
      box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height,
    ).toBe(true)
    await menu.getByRole('menuitem', { name: /^Reply/ }).tap()
    await expect.poll(() => menu.count()).toBe(0)
    await page.getByText('Reply to bruno').waitFor()
    await expect.poll(() => composerOf(page).evaluate((field) => field === document.activeElement)).toBe(true)
    expectQuiet()
  })

  it('reacts from the same menu', async () => {
    const { page, message, session } = await aPhone()
    const lift = await finger(session, message)
    const menu = page.getByRole('menu')
    await menu.waitFor()
    await lift()
    await menu.getByRole('menuitemcheckbox', { name: /👍/ }).tap()
    await page.getByRole('button', { name: /👍/ }).waitFor()
  })

  it('has no menu for a finger that moves or taps', async () => {
    const { page, message, session } = await aPhone()
    await page.clock.install()
    const lift = await finger(session, message, 60)
    await page.clock.runFor(2_000)
    expect(await page.getByRole('menu').count()).toBe(0)
    await lift()
    await message.tap({ position: { x: 20, y: 5 } })
    await page.clock.runFor(2_000)
    expect(await page.getByRole('menu').count()).toBe(0)
  })

  it('has targets that a finger can hit', async () => {
    const { page } = await aPhone()
    // Names in a line of text are as high as the line.
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('.region-conversation :is(button, textarea):not([role=listitem] *)')]
        .map((one) => ({
          name: one.getAttribute('aria-label') ?? one.textContent,
          box: one.getBoundingClientRect(),
        }))
        .filter(({ box }) => box.width > 0 && (box.width < 40 || box.height < 40))
        .map(({ name, box }) => `${name}: ${box.width} by ${box.height}`),
    )
    expect(small).toEqual([])
  })
})

it('shows a file with a long name within its message on a narrow phone', async () => {
  const server = await aWebServer()
  await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  const { page } = await signIn(server, 'ana', {
    viewport: { width: 320, height: 568 },
    hasTouch: true,
    isMobile: true,
  })
  await openGroup(page, 'Kitchen')
  const file = {
    name: `${'a very long name '.repeat(5)}.txt`,
    mimeType: 'text/plain',
    buffer: Buffer.from('bread'),
  }
  await page.locator('input[type=file]').setInputFiles(file)
  await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).tap()
  const link = page.getByRole('link', { name: /^Download a very long name/ })
  await link.waitFor()
  const overflow = await link.evaluate((one) => {
    const rightOf = (element: Element | null) => element?.getBoundingClientRect().right ?? 0
    return rightOf(one) - rightOf(one.closest('.bubble'))
  })
  expect(overflow).toBeLessThanOrEqual(0)
})
