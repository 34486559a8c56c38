import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { clientExample } from '../support/client-examples.ts'
import { tokenOf } from '../support/server-process.ts'
import { aContext } from './support/browser.ts'
import { request } from './support/chat.ts'
import { aWebServer, type WebServer } from './support/web-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const alias = {
  'tertulia/store': './client/store/index.ts',
  'tertulia/calls': './client/calls/index.ts',
  'tertulia/react': './client/adapters/react.ts',
}

/** A server with the group `team` of Ana and Bruno, who has written `olá`. */
async function aTeam(): Promise<WebServer> {
  const server = await aWebServer()
  await request(server, 'bruno', 'groups')
  const team = { kind: 'group', groupId: 'team', name: 'Team', members: ['bruno'] }
  await request(server, 'ana', 'groups', team)
  await request(server, 'bruno', 'groups/team/messages', { content: 'olá', tempId: 't1' })
  return server
}

/** Runs an example in a page of the server that has nothing else, and a `fetchToken` for the user. */
async function run(server: WebServer, userId: string, body: string, code: string): Promise<Page> {
  const page = await (await aContext({ bypassCSP: true })).newPage()
  await page.goto(`${server.url}/health`)
  await page.evaluate((html) => {
    document.body.innerHTML = html
  }, body)
  const token = JSON.stringify(await tokenOf(userId))
  const { outputFiles } = await build({
    stdin: { contents: `const fetchToken = async () => ${token}\n${code}`, resolveDir: root },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"production"' },
    alias,
    write: false,
  })
  await page.addScriptTag({ content: outputFiles[0]?.text ?? '', type: 'module' })
  return page
}

describe('docs/CLIENT.md', () => {
  it('In a browser: shows messages, and sends what is written', async () => {
    const server = await aTeam()
    const body = '<ul id="messages"></ul><form><input name="text"><button>Send</button></form>'
    const page = await run(server, 'ana', body, clientExample('browser', 'In a browser'))
    await page.getByText('bruno: olá (sent)').waitFor()
    await page.getByRole('textbox').fill('olá, Bruno')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('ana: olá, Bruno (sent)').waitFor()
    expect(await page.getByRole('listitem').count()).toBe(2)
  })

  it('In React: shows views, and their changes', async () => {
    const server = await aTeam()
    const page = await run(server, 'ana', '<div id="app"></div>', clientExample('react', 'In React'))
    await page.getByRole('heading', { name: '1 chats, 1 unread' }).waitFor()
    await page.getByText('olá').waitFor()
    await request(server, 'bruno', 'groups/team/messages', { content: 'bread?', tempId: 't2' })
    await page.getByText('bread?').waitFor()
  })

  it('Calls: the called page answers, and shows the caller', async () => {
    const server = await aTeam()
    const start = `
      import { ChatStore } from 'tertulia/store'
      const store = new ChatStore({ url: location.origin, token: fetchToken })
      store.connect()
    `
    // Without a server on the internet.
    const example = clientExample('browser', 'Calls').replace("{ urls: 'stun:stun.example.org' }", '')
    const body = '<video autoplay muted></video>'
    const called = await run(server, 'bruno', body, `${start}\n${example}`)
    const call = "globalThis.call = () => calls.call({ groupId: 'team', userId: 'bruno', withVideo: true })"
    const caller = await run(server, 'ana', body, `${start}\n${example}\n${call}`)
    await expect.poll(() => called.evaluate('typeof document.querySelector("video")')).toBe('object')
    await caller.waitForFunction('typeof call === "function"')
    await caller.evaluate('call()')
    const width = (page: Page) => page.evaluate(() => document.querySelector('video')?.videoWidth)
    await expect.poll(() => width(called)).toBeGreaterThan(0)
    await expect.poll(() => width(caller)).toBeGreaterThan(0)
  })
})
