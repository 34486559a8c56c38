/**
 * The composer while other things happen: another group is opened, the message that is edited or answered
 * changes, files are dropped and pasted.
 */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, composerOf, expectShown, openGroup, shownIn, storedIn, write } from './support/chat.ts'
import { aPeer } from './support/peer.ts'
import { aWebServer } from './support/web-server.ts'

/** Ana in one of two groups with Bruno, who is no admin of them. */
async function anaInKitchen() {
  const server = await aWebServer({ RATE_LIMIT: '0' })
  const groupId = await aGroup(server, ['bruno', 'ana'], 'Kitchen')
  await aGroup(server, ['bruno', 'ana'], 'Garden')
  const bruno = await aPeer(server, 'bruno')
  const { messageId } = (await bruno.sendMessage({ groupId, type: 'text', content: 'first' })).message
  const ana = await signIn(server, 'ana')
  await openGroup(ana.page, 'Kitchen')
  await expectShown(ana.page, ['first'])
  return { server, groupId, bruno, messageId, ana, page: ana.page }
}

const modeOf = (page: Page) => page.locator('.mode-bar')
const rowOf = (page: Page, text: string) =>
  page.locator('[role=listitem][data-state]').filter({ hasText: text })

async function act(page: Page, text: string, action: string): Promise<void> {
  await rowOf(page, text).click({ button: 'right' })
  await page.getByRole('menuitem', { name: action }).click()
}

/** What a drop or a paste of files and texts carries. */
interface Carried {
  readonly files?: readonly { readonly name: string; readonly type: string }[]
  readonly texts?: Readonly<Record<string, string>>
}

/** Drops or pastes on an element; whether the page handled it. */
function give(page: Page, type: 'drop' | 'paste', selector: string, carried: Carried): Promise<boolean> {
  return page.locator(selector).evaluate(
    (element, { type, carried: { files = [], texts = {} } }) => {
      const data = new DataTransfer()
      for (const [kind, text] of Object.entries(texts)) data.setData(kind, text)
      for (const { name, type } of files) data.items.add(new File(['content'], name, { type }))
      const init = { bubbles: true, cancelable: true }
      const event =
        type === 'drop'
          ? new DragEvent(type, { ...init, dataTransfer: data })
          : new ClipboardEvent(type, { ...init, clipboardData: data })
      return !element.dispatchEvent(event)
    },
    { type, carried },
  )
}

const aFile = { name: 'notes.txt', type: 'text/plain' }
const filesDialog = (page: Page) => page.getByRole('dialog', { name: /^Send/ })

async function switchThere(page: Page): Promise<void> {
  await openGroup(page, 'Garden')
  await page.getByRole('textbox', { name: 'Message to Garden' }).waitFor()
  await openGroup(page, 'Kitchen')
  await rowOf(page, 'first').waitFor()
}

describe('an answer', () => {
  it('stays one while another group is on show', async () => {
    const { page, ana } = await anaInKitchen()
    await act(page, 'first', 'Reply')
    await composerOf(page).fill('an answer')
    await switchThere(page)
    await expect.poll(() => modeOf(page).textContent()).toMatch(/bruno\s*first/)
    await composerOf(page).press('Enter')
    await rowOf(page, 'an answer').locator('.quote').waitFor()
    ana.expectQuiet()
  })

  it('shows the text that its message has now', async () => {
    const { page, bruno, messageId } = await anaInKitchen()
    await act(page, 'first', 'Reply')
    await bruno.editMessage({ messageId, content: 'changed' })
    await expect.poll(() => modeOf(page).textContent()).toMatch(/changed/)
    await bruno.deleteMessage({ messageId })
    await expect.poll(() => modeOf(page).textContent()).toMatch(/Message deleted/)
  })

  it('is not that of files which were chosen for an answer before', async () => {
    const { page } = await anaInKitchen()
    await act(page, 'first', 'Reply')
    expect(await give(page, 'drop', '.composer', { files: [aFile] })).toBe(true)
    await filesDialog(page).getByRole('button', { name: 'Cancel' }).click()
    // The user may still write the answer, or end it.
    await modeOf(page).getByRole('button', { name: 'Cancel' }).click()
    await give(page, 'drop', '.composer', { files: [aFile] })
    await filesDialog(page).getByRole('button', { name: 'Send' }).click()
    await expect.poll(async () => (await shownIn(page)).length).toBe(2)
    expect(await page.locator('.bubble .quote').count()).toBe(0)
  })
})

describe('an edit', () => {
  const edit = async (page: Page) => {
    await write(page, 'mine')
    await expect.poll(async () => (await shownIn(page)).at(-1)?.state).not.toBe('pending')
    await composerOf(page).press('ArrowUp')
    const field = page.getByRole('textbox', { name: 'Text of the message' })
    await field.fill('mine, but better')
    return field
  }

  it('stays with its text while another group is on show', async () => {
    const { server, groupId, page } = await anaInKitchen()
    const field = await edit(page)
    await openGroup(page, 'Garden')
    await page.getByRole('navigation', { name: 'Groups' }).getByRole('link', { name: 'Kitchen' }).click()
    expect(await field.inputValue()).toBe('mine, but better')
    await field.press('Enter')
    await expect.poll(() => storedIn(server, 'ana', groupId)).toEqual(['first', 'mine, but better'])
  })

  it('stays with its text over a reload, in other tabs too, and an answer likewise', async () => {
    const { page, ana, server, groupId } = await anaInKitchen()
    const field = await edit(page)
    await field.fill('my other text')
    const tab = await ana.openTab(`#/g/${groupId}`)
    const fieldOf = (one: Page) => one.getByRole('textbox', { name: 'Text of the message' })
    await expect.poll(() => fieldOf(tab).inputValue()).toBe('my other text')
    await tab.close()
    await page.reload()
    await expect.poll(() => fieldOf(page).inputValue()).toBe('my other text')
    await modeOf(page).getByText('mine', { exact: true }).waitFor()
    await fieldOf(page).press('Enter')
    await expectShown(page, ['first', 'my other text'])
    await act(page, 'first', 'Reply')
    await composerOf(page).fill('an ans')
    await page.reload()
    await modeOf(page).getByText('Reply to bruno').waitFor()
    await expect.poll(() => composerOf(page).inputValue()).toBe('an ans')
    await composerOf(page).press('End')
    await composerOf(page).pressSequentially('wer')
    await composerOf(page).press('Enter')
    await expect.poll(() => storedIn(server, 'ana', groupId)).toEqual(['first', 'my other text', 'an answer'])
    await rowOf(page, 'an answer').locator('.quote').getByText('first').waitFor()
    expect(await modeOf(page).count()).toBe(0)
    ana.expectQuiet()
  })

  it('whose message was deleted while the page was closed gives its text back', async () => {
    const { page, ana, server, groupId, bruno } = await anaInKitchen()
    await (await edit(page)).fill('my other text')
    const messages = (await bruno.getHistory({ groupId })).messages
    await page.close()
    await bruno.deleteMessage({ messageId: messages.at(-1)?.messageId ?? '' })
    const tab = await ana.openTab(`#/g/${groupId}`)
    const field = tab.getByRole('textbox', { name: 'Text of the message' })
    await expect.poll(() => field.inputValue()).toBe('my other text')
    await modeOf(tab).getByText('Message deleted').waitFor()
    await field.press('Enter')
    await expect.poll(() => composerOf(tab).inputValue()).toBe('my other text')
    expect(await storedIn(server, 'ana', groupId)).toEqual(['first', ''])
  })

  it('gives its text back when it is refused', async () => {
    const { bruno, page, groupId } = await anaInKitchen()
    const field = await edit(page)
    const seq = await rowOf(page, 'mine').getAttribute('data-seq')
    await bruno.deleteMessage({ messageId: `${groupId}:${seq}` })
    await expect.poll(() => modeOf(page).textContent()).toMatch(/Message deleted/)
    await field.press('Enter')
    await expect.poll(() => composerOf(page).inputValue()).toBe('mine, but better')
    await page.getByText('This no longer exists.').waitFor()
  })
})

describe('files and texts from elsewhere', () => {
  it('are sent without the draft', async () => {
    const { page } = await anaInKitchen()
    await composerOf(page).fill('not ready yet')
    await give(page, 'drop', '.composer', { files: [aFile] })
    await filesDialog(page).getByRole('button', { name: 'Send' }).click()
    await expect.poll(async () => (await shownIn(page)).length).toBe(2)
    expect(await composerOf(page).inputValue()).toBe('not ready yet')
  })

  it('are accepted by the whole conversation, and open no file beside it', async () => {
    const { page } = await anaInKitchen()
    expect(await give(page, 'drop', '.messages', { files: [aFile] })).toBe(true)
    await filesDialog(page).getByRole('button', { name: 'Cancel' }).click()
    expect(await give(page, 'drop', '.region-groups', { files: [aFile] })).toBe(true)
    expect(await filesDialog(page).count()).toBe(0)
  })

  it('are the text where a picture of it comes with it', async () => {
    const { page } = await anaInKitchen()
    const image = { name: 'image.png', type: 'image/png' }
    // As spreadsheets copy cells. The browser pastes the text by itself.
    const cells = { files: [image], texts: { 'text/html': '<table>', 'text/plain': 'A\tB' } }
    expect(await give(page, 'paste', '.composer-input', cells)).toBe(false)
    // As browsers copy an image.
    const picture = { files: [image], texts: { 'text/html': '<img>' } }
    expect(await give(page, 'paste', '.composer-input', picture)).toBe(true)
    await filesDialog(page).waitFor()
  })
})

describe('a narrow window', () => {
  it('shows the whole text after it became narrower, and a hint of one line', async () => {
    const { page } = await anaInKitchen()
    const field = composerOf(page)
    const isCut = () => field.evaluate((area) => area.scrollHeight > area.clientHeight)
    await field.fill('a text that needs several lines where there is little room for it')
    await page.setViewportSize({ width: 320, height: 640 })
    await expect.poll(isCut).toBe(false)
    await field.fill('')
    await expect.poll(() => field.evaluate((area) => area.clientHeight)).toBeLessThan(50)
    expect(await isCut()).toBe(false)
  })
})
