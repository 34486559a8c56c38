import { describe, expect, it } from 'vitest'
import { evictDatabases, type PersonInBrowser, signIn } from './support/browser.ts'
import { aGroup, composerOf, expectShown, openGroup, shownIn, storedIn, write } from './support/chat.ts'
import { aWebServer } from './support/web-server.ts'

async function twoPeople() {
  const server = await aWebServer()
  const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
  // All messages of a test are in the part of the list that is rendered.
  const viewport = { width: 1_200, height: 1_600 }
  const ana = await signIn(server, 'ana', { viewport })
  const bruno = await signIn(server, 'bruno', { viewport })
  await openGroup(ana.page, 'Kitchen')
  await openGroup(bruno.page, 'Kitchen')
  return { server, groupId, ana, bruno }
}

describe('two people', () => {
  it('chat, and see how far a message came', async () => {
    const { ana, bruno } = await twoPeople()
    await write(ana.page, 'olá **Bruno**')
    await expectShown(bruno.page, ['olá Bruno'])
    await write(bruno.page, 'olá')
    await expectShown(ana.page, ['olá Bruno', 'olá'])
    await expect.poll(async () => (await shownIn(ana.page))[0]?.state).toBe('read')
    ana.expectQuiet()
    bruno.expectQuiet()
  })

  it('have the same messages, none twice, after kill -9 in the middle of sending', async () => {
    const { server, groupId, ana, bruno } = await twoPeople()
    const textsOf = ({ userId }: PersonInBrowser) =>
      Array.from({ length: 10 }, (_, i) => `${userId} ${i + 1}`)
    const send = async (person: PersonInBrowser) => {
      for (const text of textsOf(person)) await write(person.page, text)
    }
    const kill = async () => {
      await expect.poll(async () => (await storedIn(server, 'ana', groupId)).length).toBeGreaterThan(3)
      await server.restart()
    }
    await Promise.all([send(ana), send(bruno), kill()])
    const texts = [...textsOf(ana), ...textsOf(bruno)]
    for (const { page } of [ana, bruno]) {
      await expect
        .poll(async () => (await shownIn(page)).filter(({ state }) => state === 'pending'))
        .toEqual([])
    }
    await expect.poll(async () => (await storedIn(server, 'ana', groupId)).length).toBe(texts.length)
    const stored = await storedIn(server, 'ana', groupId)
    expect([...stored].sort()).toEqual([...texts].sort())
    // Each person's messages are in the order in which they were written.
    for (const person of [ana, bruno]) {
      expect(stored.filter((text) => text.startsWith(person.userId))).toEqual(textsOf(person))
    }
    for (const { page } of [ana, bruno]) await expectShown(page, stored)
    ana.expectQuiet()
    bruno.expectQuiet()
  })
})

describe('without a network', () => {
  it('stores three messages over the end of the tab, opens offline, and sends them once, in order', async () => {
    const { server, groupId, ana, bruno } = await twoPeople()
    await write(ana.page, 'before')
    await expectShown(bruno.page, ['before'])
    // The worker has stored the page.
    await ana.page.evaluate(() => navigator.serviceWorker.ready)
    await ana.setOffline(true)
    for (const text of ['one', 'two', 'three']) await write(ana.page, text)
    await expectShown(ana.page, ['before', 'one', 'two', 'three'])
    await composerOf(ana.page).fill('a draft')
    await ana.page.close()
    const page = await ana.openTab(`#/g/${groupId}`)
    await expectShown(page, ['before', 'one', 'two', 'three'])
    expect((await shownIn(page)).map(({ state }) => state).slice(1)).toEqual([
      'pending',
      'pending',
      'pending',
    ])
    expect(await composerOf(page).inputValue()).toBe('a draft')
    await page.getByText(/^(Offline|No connection) since/).waitFor()
    await ana.setOffline(false)
    await expectShown(bruno.page, ['before', 'one', 'two', 'three'])
    await expect.poll(async () => (await shownIn(page)).some(({ state }) => state === 'pending')).toBe(false)
    expect(await storedIn(server, 'ana', groupId)).toEqual(['before', 'one', 'two', 'three'])
    ana.expectQuiet()
  })

  it('does not show as empty a conversation whose messages the browser has evicted', async () => {
    const { groupId, ana, bruno } = await twoPeople()
    await write(ana.page, 'before')
    await expectShown(bruno.page, ['before'])
    await ana.page.evaluate(() => navigator.serviceWorker.ready)
    await ana.setOffline(true)
    await evictDatabases(ana.page)
    const page = await ana.openTab(`#/g/${groupId}`)
    await write(page, 'after')
    await expectShown(page, ['after'])
    const list = page.getByRole('list', { name: /Kitchen/ })
    await list.getByText('Loading').waitFor()
    expect(await list.getByText('This is the beginning').count()).toBe(0)
    await ana.setOffline(false)
    await expectShown(page, ['before', 'after'])
    await list.getByText('This is the beginning').waitFor()
    ana.expectQuiet()
  })
})
