/**
 * The service worker shows what a service sends by Web Push, and opens the group of a notification.
 */
import type { Worker } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { type PersonInBrowser, signIn } from './support/browser.ts'
import { aGroup, openGroup } from './support/chat.ts'
import { aWebServer, type WebServer } from './support/web-server.ts'

/** Browsers open and focus windows for clicks of a user only: what the worker asks for is noted. */
const noteWindows = `
self.asked = []
self.clients.openWindow = async (url) => { self.asked.push('open ' + url); return null }
WindowClient.prototype.focus = async function () { self.asked.push('focus'); return this }
`
const clickFirst = `(async () => {
  const [notification] = await self.registration.getNotifications()
  self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
})()`
const readShown = `self.registration.getNotifications().then((all) =>
  all.map(({ title, body, tag, icon }) => ({ title, body, tag, icon })))`

/** The worker of a person's page. */
async function aWorker(server: WebServer, { page, context }: PersonInBrowser) {
  await context.grantPermissions(['notifications'], { origin: server.url })
  const session = await context.newCDPSession(page)
  const registration = new Promise<string>((resolve) => {
    session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
      const active = versions.find(({ status }) => status === 'activated')
      if (active) resolve(active.registrationId)
    })
  })
  await session.send('ServiceWorker.enable')
  const registrationId = await registration
  /** Another window is in front. */
  const lookAway = async () => {
    // Of a test every page has the focus.
    await session.send('Emulation.setFocusEmulationEnabled', { enabled: false })
    await (await context.newPage()).bringToFront()
  }
  const worker = context.serviceWorkers()[0] as Worker
  await worker.evaluate(noteWindows)
  return {
    lookAway,
    push: (data: string) =>
      session.send('ServiceWorker.deliverPushMessage', { origin: `${server.url}/`, registrationId, data }),
    shown: () => worker.evaluate(readShown) as Promise<readonly Record<string, string>[]>,
    click: () => worker.evaluate(clickFirst),
    asked: () => worker.evaluate('self.asked'),
  }
}

describe('the service worker', () => {
  it('shows a push, and a click goes to its group in the open page without loading it again', async () => {
    const server = await aWebServer()
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    await aGroup(server, ['ana', 'bruno'], 'Garden')
    const ana = await signIn(server, 'ana')
    const { page } = ana
    await openGroup(page, 'Garden')
    const { push, shown, click, asked, lookAway } = await aWorker(server, ana)
    await lookAway()
    await page.evaluate(() => Object.assign(window, { isSamePage: true }))
    await push(JSON.stringify({ title: 'Bruno', body: 'bread is ready', tag: groupId }))
    const icon = `${server.url}/icon-192.png`
    await expect.poll(shown).toEqual([{ title: 'Bruno', body: 'bread is ready', tag: groupId, icon }])
    expect((await fetch(icon)).headers.get('content-type')).toBe('image/png')
    await click()
    await page.getByRole('textbox', { name: 'Message to Kitchen' }).waitFor()
    expect(await page.evaluate('isSamePage')).toBe(true)
    expect(await asked()).toEqual(['focus'])
    expect(await shown()).toEqual([])
  })

  it('opens a page if there is none of the chat, and shows a push that it cannot read', async () => {
    const server = await aWebServer()
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const ana = await signIn(server, 'ana')
    const { push, shown, click, asked, lookAway } = await aWorker(server, ana)
    await ana.page.goto(`${server.url}/admin`)
    await lookAway()
    const brief = async () => (await shown()).map(({ title, body, tag }) => [title, body, tag])
    for (const unread of ['not JSON', 'null', JSON.stringify({ title: 7, body: null, tag: { length: 1 } })]) {
      await push(unread)
      await expect.poll(brief).toEqual([['Tertulia', '', '']])
      await click()
      await expect.poll(brief).toEqual([])
    }
    await push(JSON.stringify({ title: 'Kitchen', tag: groupId }))
    await expect.poll(brief).toEqual([['Kitchen', '', groupId]])
    await click()
    const open = `open ${server.url}/`
    await expect.poll(asked).toEqual([open, open, open, `${open}#/g/${groupId}`])
  })

  it('shows nothing while a page is looked at', async () => {
    const server = await aWebServer()
    const ana = await signIn(server, 'ana')
    const { push, shown, lookAway } = await aWorker(server, ana)
    await ana.page.bringToFront()
    await push(JSON.stringify({ title: 'Kitchen', body: 'looked at', tag: 'kitchen' }))
    // A later one, when nobody looks, is shown alone.
    await lookAway()
    await push(JSON.stringify({ title: 'Kitchen', body: 'later', tag: 'garden' }))
    await expect.poll(async () => (await shown()).map(({ body }) => body)).toEqual(['later'])
  })
})
