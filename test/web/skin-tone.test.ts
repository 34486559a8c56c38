/**
 * The skin tone of the settings: in quick reactions, the picker and `:name:`, after a reload too.
 */
import { expect, it } from 'vitest'
import { signIn } from './support/browser.ts'
import { aGroup, composerOf, expectShown, openGroup, write } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

it('the chosen skin tone is used for what the user writes and for reactions', async () => {
  const server = await aWebServer()
  await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  const { page, expectQuiet } = await signIn(server, 'ana')
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByLabel('Skin tone of emoji').selectOption({ label: '👋🏾' })
  await page.reload()
  await openGroup(page, 'Kitchen')
  await composerOf(page).pressSequentially(':wave')
  await page.getByRole('option', { name: /👋🏾/ }).click()
  await composerOf(page).press('Enter')
  await expectShown(page, ['👋🏾'])

  await write(page, 'bread')
  const message = page.getByRole('listitem').filter({ hasText: 'bread' }).last()
  await message.click({ button: 'right' })
  await page.getByRole('menuitemcheckbox', { name: /👍🏾/ }).click()
  await message.getByRole('button', { name: /👍🏾/ }).waitFor()

  await page.getByRole('button', { name: 'Emoji', exact: true }).click()
  await page.getByRole('searchbox', { name: /emoji/i }).fill('clap')
  await page
    .getByRole('button', { name: /clapping/ })
    .first()
    .click()
  await expect.poll(() => composerOf(page).inputValue()).toContain('👏🏾')
  expectQuiet()
})
