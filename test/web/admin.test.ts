import { SignJWT } from 'jose'
import type { Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SECRET, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'
import { violationsOf } from './support/axe.ts'
import { aContext } from './support/browser.ts'
import { aWebServer, type WebServer } from './support/web-server.ts'

function adminToken(): Promise<string> {
  return new SignJWT({ sub: 'olga', admin: true })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET))
}

async function aClient({ port }: WebServer, userId: string): Promise<SocketClient> {
  const client = new SocketClient(port, { token: await tokenOf(userId) })
  onTestFinished(() => client.ws.terminate())
  await client.next('connected')
  return client
}

interface Opened {
  readonly page: Page
  readonly errors: string[]
}

async function open(url: string, options = {}): Promise<Opened> {
  const page = await (await aContext(options)).newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())))
  await page.goto(url)
  return { page, errors }
}

describe('the dashboard', () => {
  it('shows traffic as it happens, and closes a connection', async () => {
    const server = await aWebServer()
    const ana = await aClient(server, 'ana')
    const { page, errors } = await open(`${server.url}/admin#token=${await adminToken()}`)
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    // The address shows no token.
    expect(page.url()).toBe(`${server.url}/admin`)
    expect(await page.locator('.tile', { hasText: 'Connections' }).textContent()).toContain('1 user')

    ana.send('create_group', 1, { kind: 'group', name: 'Kitchen', groupId: 'kitchen', members: [] })
    await ana.next('group')
    ana.send('get_history', 2, { groupId: 'other' })
    // The figures are those of the last seconds.
    let ref = 3
    const post = () => {
      ref++
      ana.send('send_message', ref, { groupId: 'kitchen', content: 'olá', tempId: `t${ref}` })
      return page.getByRole('rowheader', { name: 'kitchen' }).count()
    }
    await expect.poll(post, { interval: 500 }).toBe(1)
    await page.getByRole('rowheader', { name: 'not_found' }).waitFor()
    for (const thread of ['main', 'storage-writer', 'shard-1'])
      await page.getByRole('rowheader', { name: thread }).first().waitFor()
    expect(await page.locator('.plot canvas').count()).toBeGreaterThan(9)
    await page.locator('.log li', { hasText: 'listening' }).waitFor()

    await page.getByLabel('User id').fill('ana')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByRole('button', { name: 'Disconnect', exact: true }).click()
    await page.getByText('1 connection was closed.').waitFor()
    expect((await ana.closed()).code).toBe(4403)
    await page.getByRole('rowheader', { name: 'revoked' }).waitFor()
    await page.locator('.log li', { hasText: 'an operator ended the connection' }).waitFor()
    expect(errors).toEqual([])
  })

  it('asks for a token, and says why another one is refused', async () => {
    const server = await aWebServer()
    const { page } = await open(`${server.url}/admin`)
    await page.getByLabel('Token of an operator').fill(await tokenOf('ana'))
    await page.getByRole('button', { name: 'Open the dashboard' }).click()
    await page.getByRole('alert').filter({ hasText: 'does not belong to an operator' }).waitFor()
    await page.getByLabel('Token of an operator').fill(await adminToken())
    await page.keyboard.press('Enter')
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    await page.reload()
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token of an operator').waitFor()
  })

  it('does not poll while it is paused', async () => {
    const server = await aWebServer()
    const { page } = await open(`${server.url}/admin#token=${await adminToken()}`)
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    const polls: string[] = []
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.waitForLoadState('networkidle')
    page.on('request', (request) => polls.push(request.url()))
    await page.getByLabel('User id').fill('bia')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByText('bia has no open connection.').waitFor()
    expect(polls).toEqual([`${server.url}/api/admin/users/bia/connections`])
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
  })

  it.each([
    ['light', 'en-GB', {}],
    ['dark', 'pt-BR', {}],
    ['light', 'en-GB', { contrast: 'more' }],
    ['dark', 'en-GB', { contrast: 'more', viewport: { width: 360, height: 740 } }],
  ] as const)('has no fault that axe finds: %s, %s, %j', async (colorScheme, locale, more) => {
    const server = await aWebServer()
    const { page, errors } = await open(`${server.url}/admin#token=${await adminToken()}`, {
      ...{ colorScheme, locale, ...more },
    })
    await page.locator('.log li').first().waitFor()
    for (const table of await page.locator('.chart summary').all()) await table.click()
    expect(await violationsOf(page)).toEqual([])
    // Nothing is wider than the window.
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    expect(errors).toEqual([])
  })
})

describe('the documents', () => {
  it('/asyncapi shows every message with its fields and an example', async () => {
    const server = await aWebServer()
    const { page, errors } = await open(`${server.url}/asyncapi#request.send_message`)
    const card = page.locator('article[id="request.send_message"]')
    await card.getByRole('row', { name: 'tempId required' }).waitFor()
    await card.getByText('Example').click()
    expect(await card.locator('pre').textContent()).toContain('"event": "send_message"')
    await page.getByRole('searchbox').fill('recall')
    await page.getByText('2 messages').waitFor()
    expect(await violationsOf(page)).toEqual([])
    await page.getByRole('link', { name: 'HTTP API' }).click()
    await page.getByText('Sends a message.', { exact: false }).first().waitFor()
    await page.getByRole('link', { name: 'Dashboard' }).click()
    await page.getByLabel('Token of an operator').waitFor()
    expect(errors).toEqual([])
  })
})
