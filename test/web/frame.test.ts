/**
 * The frame of the page: dialogs, the list of chats, refusals, details.
 */
import { describe, expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, composerOf, openGroup, request, write } from './support/chat.ts'
import { aPeer } from './support/peer.ts'
import { aWebServer } from './support/web-server.ts'

describe('a dialog', () => {
  it('stays when a selection of text ends outside of it', async () => {
    const server = await aWebServer()
    const { page } = await signIn(server, 'ana')
    await page.getByRole('button', { name: 'New chat' }).click()
    await page.getByRole('menuitem', { name: 'New group' }).click()
    const field = page.getByRole('textbox', { name: 'Name of the group' })
    await field.fill('A name')
    const { x, y } = (await field.boundingBox()) as { x: number; y: number }
    await page.mouse.move(x + 80, y + 8)
    await page.mouse.down()
    await page.mouse.move(20, y + 8)
    await page.mouse.up()
    expect(await field.inputValue()).toBe('A name')
    await page.mouse.click(20, y + 8)
    await expect.poll(() => field.count()).toBe(0)
  })
})

describe('a refusal', () => {
  it('is in the language of the page, above dialogs and beside the composer', async () => {
    const server = await aWebServer()
    await aGroup(server, ['ana', 'bruno'], 'Cozinha')
    const { page } = await signIn(server, 'ana', { locale: 'pt-PT' })
    await page.getByRole('link', { name: 'Cozinha' }).click()
    await page.getByRole('button', { name: 'Membros e detalhes' }).click()
    await page.getByRole('button', { name: 'Ações para ana' }).click()
    await page.getByRole('menuitem', { name: 'Tornar membro' }).click()
    const toast = page.getByText('Um grupo precisa de um administrador.')
    await toast.waitFor()
    expect(await toast.evaluate((text) => text.closest('.toasts')?.matches(':popover-open'))).toBe(true)
    // It does not cover what the user writes.
    const below = (await page.locator('.composer-field').boundingBox())?.y ?? 0
    const box = await page.locator('.toast').boundingBox()
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(below)
  })
})

describe('a toast', () => {
  /** Ana looks at the members of a group, whose only admin she is, and is refused to be one no longer. */
  async function refusedInDialog() {
    const server = await aWebServer()
    await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const { page } = await signIn(server, 'ana')
    await openGroup(page, 'Kitchen')
    await page.getByRole('button', { name: 'Members and details' }).click()
    await page.getByRole('button', { name: 'Actions for ana' }).click()
    const dialog = page.getByRole('dialog', { name: 'Keyboard' })
    await page.evaluate(() => {
      // By `ariaNotify` the page would leave nothing to read.
      delete (Element.prototype as { ariaNotify?: unknown }).ariaNotify
    })
    return { page, dialog, refuse: () => page.getByRole('menuitem', { name: 'Make member' }).click() }
  }

  it('is closed by a click while a dialog is open, which has it announced once', async () => {
    const { page, dialog, refuse } = await refusedInDialog()
    await refuse()
    await page.keyboard.press('Control+/')
    await dialog.waitFor()
    const toast = page.getByText('A group needs an admin.').and(page.locator('.toast *'))
    await toast.waitFor()
    await page.locator('.toast').getByRole('button', { name: 'Close' }).click({ timeout: 5_000 })
    await expect.poll(() => toast.count()).toBe(0)
    expect(await dialog.isVisible()).toBe(true)
    const said = page.locator('[aria-live=polite] p', { hasText: 'A group needs an admin.' })
    expect(await said.count()).toBe(1)
    // What is announced now is in the dialog: the rest of the page is inert.
    expect(await said.evaluate((text) => text.closest('dialog') !== null)).toBe(true)
    await page.keyboard.press('Escape')
    await expect.poll(() => dialog.count()).toBe(0)
    expect(await said.count()).toBe(1)
  })

  it('is reached from the keyboard, in the page by F6 and in a dialog by Tab', async () => {
    const { page, dialog, refuse } = await refusedInDialog()
    await refuse()
    await page.locator('.toast').waitFor()
    const hasFocus = () => page.locator('.toasts').evaluate((box) => box.contains(document.activeElement))
    await composerOf(page).focus()
    for (let i = 0; i < 4 && !(await hasFocus()); i++) await page.keyboard.press('F6')
    await page.keyboard.press('Tab')
    expect(await page.locator('.toast button').evaluate((one) => one === document.activeElement)).toBe(true)
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('.toast').count()).toBe(0)
    expect(await page.evaluate(() => document.activeElement?.closest('[data-region]') !== null)).toBe(true)

    await page.getByRole('button', { name: 'Actions for ana' }).click()
    await refuse()
    await page.locator('.toast').waitFor()
    await page.keyboard.press('Control+/')
    await dialog.waitFor()
    for (let i = 0; i < 3 && !(await hasFocus()); i++) await page.keyboard.press('Tab')
    expect(await hasFocus()).toBe(true)
  })
})

describe('the list of chats', () => {
  it('shows the chat that Alt and an arrow chose', async () => {
    const server = await aWebServer({ RATE_LIMIT: '0' })
    for (let i = 0; i < 30; i++) await aGroup(server, ['ana'], `Group ${i}`)
    const { page } = await signIn(server, 'ana', { viewport: { width: 1_200, height: 700 } })
    await openGroup(page, 'Group 29')
    for (let i = 0; i < 20; i++) await page.keyboard.press('Alt+ArrowDown')
    const row = page.getByRole('navigation').getByRole('link', { name: 'Group 9' })
    await expect.poll(() => row.getAttribute('aria-current')).toBe('page')
    const isVisible = () =>
      row.evaluate((link) => {
        const { top, bottom } = link.getBoundingClientRect()
        return top >= 0 && bottom <= innerHeight
      })
    await expect.poll(isVisible).toBe(true)
  })
})

describe('a group that the user was removed from', () => {
  it('has the focus still, and a way back on a phone', async () => {
    const server = await aWebServer()
    const groupId = await aGroup(server, ['bruno', 'ana'], 'Kitchen')
    const bruno = await aPeer(server, 'bruno')
    const { page } = await signIn(server, 'ana', { viewport: { width: 390, height: 800 } })
    await openGroup(page, 'Kitchen')
    await composerOf(page).focus()
    await bruno.removeMember({ groupId, userId: 'ana' })
    const title = page.getByRole('heading', { name: 'This chat is not there' })
    await title.waitFor()
    await expect.poll(() => title.evaluate((heading) => heading === document.activeElement)).toBe(true)
    await page.getByRole('main').getByRole('button', { name: 'Back' }).click()
    await page.getByRole('navigation', { name: 'Groups' }).waitFor()
  })
})

describe('the details of a chat', () => {
  it('are closed by Back on a phone, and leave no step when they are closed otherwise', async () => {
    const server = await aWebServer()
    await aGroup(server, ['ana'], 'Kitchen')
    const { page } = await signIn(server, 'ana', { viewport: { width: 390, height: 800 } })
    await openGroup(page, 'Kitchen')
    const details = page.getByRole('heading', { name: 'Details' })
    const open = async () => {
      await page.locator('.conversation-title').click()
      await details.waitFor()
    }
    await open()
    await page.goBack()
    await expect.poll(() => details.count()).toBe(0)
    await composerOf(page).waitFor()
    await open()
    await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click()
    await expect.poll(() => details.count()).toBe(0)
    await composerOf(page).waitFor()
    await page.goBack()
    await page.getByRole('navigation', { name: 'Groups' }).waitFor()
  })

  it('offer to end the block of the other user', async () => {
    const server = await aWebServer()
    await request(server, 'bruno', 'groups')
    await request(server, 'ana', 'groups', { kind: 'direct', members: ['bruno'] })
    const { page } = await signIn(server, 'ana')
    await openGroup(page, 'bruno')
    await page.getByRole('button', { name: 'Details' }).click()
    await page.getByRole('button', { name: 'Block', exact: true }).click()
    await page.getByRole('button', { name: 'Unblock' }).click()
    await page.getByRole('button', { name: 'Block', exact: true }).waitFor()
    await write(page, 'olá')
    await expect.poll(() => page.locator('[role=listitem][data-state=sent]').count()).toBe(1)
  })

  it('hold what was typed until the server has accepted it', async () => {
    const server = await aWebServer()
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const ana = await aPeer(server, 'ana')
    const { page } = await signIn(server, 'bruno')
    await ana.setRole({ groupId, userId: 'bruno', role: 'moderator' })
    await openGroup(page, 'Kitchen')
    await page.getByRole('button', { name: 'Members and details' }).click()
    await page.getByRole('button', { name: 'Edit' }).click()
    const topic = page.getByRole('textbox', { name: 'Topic' })
    await topic.fill('x'.repeat(1_100))
    await page.getByRole('button', { name: 'Save' }).click()
    await page.locator('.toast').waitFor()
    expect(await topic.inputValue()).toHaveLength(1_100)
  })
})
