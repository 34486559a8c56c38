import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { tokenOf } from '../support/server-process.ts'
import { aContext, collectErrors, signIn } from './support/browser.ts'
import { aGroup, expectShown, openGroup, write } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

describe('sign-in', () => {
  it('takes the token out of the address, and stays after a reload', async () => {
    const server = await aWebServer()
    await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const { page, token, expectQuiet } = await signIn(server, 'ana')
    await page.getByRole('link', { name: /Kitchen/ }).waitFor()
    expect(page.url()).not.toContain(token)
    expect(await page.evaluate(() => JSON.stringify(history.state))).not.toContain(token)
    await page.reload()
    await page.getByRole('link', { name: /Kitchen/ }).waitFor()
    expectQuiet()
  })

  it('by a token that is not accepted asks again, and says why', async () => {
    const server = await aWebServer()
    const page = await (await aContext()).newPage()
    await page.goto(server.url)
    await page.getByLabel('Token').fill('no token')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    await page.getByLabel('Token').fill(await tokenOf('ana'))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: /ana/ }).waitFor()
  })

  it('of another user removes what the user before left', async () => {
    const server = await aWebServer()
    await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const ana = await signIn(server, 'ana')
    await ana.page.getByRole('link', { name: /Kitchen/ }).waitFor()
    await ana.page.close()
    const page = await ana.openTab(`#token=${await tokenOf('eva')}`)
    await page.getByText('No chats yet').waitFor()
    const databases = () =>
      page.evaluate(
        async () => (await indexedDB.databases()).filter(({ name }) => name?.includes('ana')).length,
      )
    expect(await page.getByText('Kitchen').count()).toBe(0)
    await expect.poll(databases).toBeLessThanOrEqual(1)
  })

  it('for a trial chooses a name: two windows are two people', async () => {
    const server = await aWebServer({ NODE_ENV: 'development' })
    const context = await aContext()
    const enter = async (name: string) => {
      const page = await context.newPage()
      await page.goto(server.url)
      await page.getByLabel('Your name').fill(name)
      await page.getByRole('button', { name: 'Enter' }).click()
      await page.getByRole('button', { name: new RegExp(name) }).waitFor()
      return page
    }
    const ana = await enter('Ana')
    await enter('Bruno Sá')
    await ana.keyboard.press('Control+k')
    await ana.getByRole('combobox').fill('bruno')
    await ana.getByRole('option', { name: /Bruno Sá/ }).click()
    await write(ana, 'olá')
    await expectShown(ana, ['olá'])
    await context
      .pages()[1]
      ?.getByRole('link', { name: /Ana.*olá/ })
      .waitFor()
  })
})

describe('tertulia/web', () => {
  it('shows the chat in a page of another origin', async () => {
    const folder = new URL('../../dist/web/index.js', import.meta.url)
    const service = createServer((request, response) => {
      const isScript = request.url === '/web.js'
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
      response.end(
        isScript
          ? readFileSync(folder)
          : '<!doctype html><title>Service</title><div id="chat" style="height: 600px"></div>',
      )
    })
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void service.close())
    const origin = `http://127.0.0.1:${(service.address() as { port: number }).port}`
    const server = await aWebServer({ CORS_ORIGINS: origin })
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const page = await (await aContext()).newPage()
    const errors: string[] = []
    collectErrors(page, errors)
    await page.goto(origin)
    const options = JSON.stringify({ url: server.url, groupId, token: await tokenOf('ana') })
    // A text: the test runner would change an import.
    await page.evaluate(`(async ({ url, groupId, token }) => {
      const { mountChat } = await import('/web.js')
      const chat = await mountChat(document.querySelector('#chat'), { url, token: () => token })
      chat.show(groupId)
    })(${options})`)
    await openGroup(page, 'Kitchen')
    await write(page, 'from the service')
    await expectShown(page, ['from the service'])
    expect(page.url()).toBe(`${origin}/`)
    expect(errors).toEqual([])
  })
})
