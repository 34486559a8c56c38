/**
 * Lives of a browser, by a seed: somebody writes in one or two tabs, which are reloaded, crash and end; the network
 * goes, the server is killed, the browser deletes its databases. In the end every tab shows what the server has,
 * and nothing that was written is missing or twice.
 *
 * `LIVES=20 npm run test:web -- lives` runs more of them, `SEED=7` a single one.
 */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { ChatClient } from '../../client/index.ts'
import { Random } from '../engine/simulation/random.ts'
import { evictDatabases, type PersonInBrowser, signIn } from './support/browser.ts'
import { aGroup, composerOf, shownIn, storedIn, write } from './support/chat.ts'
import { aPeer } from './support/peer.ts'
import { aWebServer, type WebServer } from './support/web-server.ts'

const { SEED, LIVES = '3' } = process.env as Readonly<Record<string, string | undefined>>
const seeds =
  SEED === undefined ? Array.from({ length: Number(LIVES) }, (_, index) => index + 1) : [Number(SEED)]

const STEPS = 14
const MAX_TABS = 2
const weights = {
  write: 8,
  draft: 3,
  arrive: 4,
  reload: 3,
  crash: 2,
  close: 1,
  open: 3,
  network: 3,
  kill: 2,
  evict: 1,
}

/** What the databases of the browser have of the user alone: the texts of the outbox and of the drafts. */
const storedInBrowser = (page: Page) =>
  page.evaluate(async () => {
    const texts: string[] = []
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase | null>((resolve) => {
        const request = indexedDB.open(name)
        // It was deleted meanwhile, and must not be created without its tables.
        request.onupgradeneeded = () => request.transaction?.abort()
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => resolve(null)
      })
      for (const table of ['outbox', 'drafts']) {
        if (!database?.objectStoreNames.contains(table)) continue
        await new Promise<void>((resolve) => {
          const all = database.transaction(table).objectStore(table).getAll()
          all.onerror = () => resolve()
          all.onsuccess = () => {
            for (const row of all.result) texts.push(row.text ?? row.fields?.content)
            resolve()
          }
        })
      }
      database?.close()
    }
    return texts
  })

class Life {
  readonly log: string[] = []
  readonly #random: Random
  readonly #server: WebServer
  readonly #groupId: string
  readonly #ana: PersonInBrowser
  readonly #bruno: ChatClient
  readonly #tabs: Page[]
  readonly #written: string[] = []
  /** What the server is known to have: the browser may delete its copies, and a tab without network show none. */
  readonly #acknowledged = new Set<string>()
  #draft = ''
  #isOnline = true
  #isServed = true
  #arrived = 0

  private constructor(
    seed: number,
    server: WebServer,
    groupId: string,
    ana: PersonInBrowser,
    bruno: ChatClient,
  ) {
    this.#random = new Random(seed)
    this.#server = server
    this.#groupId = groupId
    this.#ana = ana
    this.#bruno = bruno
    this.#tabs = [ana.page]
  }

  static async start(seed: number): Promise<Life> {
    const server = await aWebServer({ RATE_LIMIT: '0' })
    const groupId = await aGroup(server, ['ana', 'bruno'], 'Kitchen')
    const bruno = await aPeer(server, 'bruno')
    const ana = await signIn(server, 'ana')
    const life = new Life(seed, server, groupId, ana, bruno)
    await ana.page.evaluate((hash) => location.assign(hash), `#/g/${groupId}`)
    await composerOf(ana.page).waitFor()
    // The worker serves the page without a network.
    await ana.page.evaluate(() => navigator.serviceWorker.ready)
    return life
  }

  async run(): Promise<void> {
    const actions = {
      write: () => this.#write(),
      draft: () => this.#writeDraft(),
      arrive: () => this.#arrive(),
      reload: () => this.#reload(),
      crash: () => this.#crash(),
      close: () => this.#close(),
      open: () => this.#open(),
      network: () => this.#network(),
      kill: () => this.#kill(),
      evict: () => this.#evict(),
    }
    for (let step = 0; step < STEPS; step += 1) {
      const name = this.#random.weighted(weights)
      this.log.push(name)
      await actions[name]()
    }
  }

  /** Waits until every tab shows what the server has. */
  async expectAllThere(): Promise<void> {
    if (!this.#isOnline) await this.#network()
    if (!this.#isServed) await this.#kill()
    if (this.#tabs.length === 0) await this.#open()
    // The next attempt to connect, without the delay after many that failed.
    for (const page of this.#tabs) await page.evaluate(() => dispatchEvent(new Event('online')))
    const own = async () =>
      (await storedIn(this.#server, 'ana', this.#groupId)).filter((text) => text.startsWith('ana'))
    await expect.poll(own).toEqual(this.#written)
    await expect
      .poll(async () => {
        const all = await storedIn(this.#server, 'bruno', this.#groupId)
        return all.length - this.#written.length
      })
      .toBe(this.#arrived)
    const stored = await storedIn(this.#server, 'ana', this.#groupId)
    for (const page of this.#tabs) {
      const shown = async () =>
        (await shownIn(page)).map(({ text, state }) => (state === 'pending' ? `${text} pending` : text))
      await expect.poll(shown).toEqual(stored)
      await expect.poll(() => composerOf(page).inputValue()).toBe(this.#draft)
    }
    expect(this.#ana.errors).toEqual([])
  }

  async #write(): Promise<void> {
    const page = await this.#aTab()
    const text = `ana ${this.#written.length + 1}`
    this.#written.push(text)
    this.#draft = ''
    await write(page, text)
  }

  async #writeDraft(): Promise<void> {
    const page = await this.#aTab()
    this.#draft = `draft ${this.log.length}`
    await composerOf(page).fill(this.#draft)
  }

  async #arrive(): Promise<void> {
    this.#arrived += 1
    this.#bruno.sendMessage({ groupId: this.#groupId, content: `bruno ${this.#arrived}` }).catch(() => {})
  }

  async #reload(): Promise<void> {
    const page = await this.#aTab()
    await page.reload()
    await composerOf(page).waitFor()
  }

  /** The process of a tab ends, a moment after something was written in it. */
  async #crash(): Promise<void> {
    const page = await this.#aTab()
    await this.#isSafe(page)
    const devtools = await this.#ana.context.newCDPSession(page)
    const crashed = page.waitForEvent('crash')
    devtools.send('Page.crash').catch(() => {})
    await crashed
    this.#tabs.splice(this.#tabs.indexOf(page), 1)
    await page.close()
    if (this.#tabs.length === 0) await this.#open()
  }

  async #close(): Promise<void> {
    const page = await this.#aTab()
    this.#tabs.splice(this.#tabs.indexOf(page), 1)
    await page.close({ runBeforeUnload: true })
    if (!page.isClosed()) await page.waitForEvent('close')
  }

  async #open(): Promise<void> {
    if (this.#tabs.length >= MAX_TABS) return
    const page = await this.#ana.openTab(`#/g/${this.#groupId}`)
    this.#tabs.push(page)
    await composerOf(page).waitFor()
  }

  async #network(): Promise<void> {
    this.#isOnline = !this.#isOnline
    // Not awaited: it does not resolve where a service worker has crashed with the process of its page.
    this.#ana.setOffline(!this.#isOnline).catch(() => {})
    for (const page of this.#tabs) {
      await page.waitForFunction((isOnline) => navigator.onLine === isOnline, this.#isOnline)
    }
  }

  /** `kill -9` of the server, or its next start. */
  async #kill(): Promise<void> {
    await this.#learnAcknowledged()
    await (this.#isServed ? this.#server.kill() : this.#server.start())
    this.#isServed = !this.#isServed
  }

  /** The browser deletes its databases, and a tab knows what was in them. */
  async #evict(): Promise<void> {
    const page = await this.#aTab()
    await evictDatabases(page)
    await this.#isSafe(page)
  }

  async #aTab(): Promise<Page> {
    if (this.#tabs.length === 0) await this.#open()
    return this.#random.pick(this.#tabs)
  }

  /** Waits until what was written is in the database of the browser, or the server has it. */
  async #isSafe(page: Page): Promise<void> {
    const missing = async () => {
      const local = await storedInBrowser(page)
      const wanted = [...this.#written, ...(this.#draft === '' ? [] : [this.#draft])]
      await this.#learnAcknowledged()
      for (const { text, state } of await shownIn(page)) {
        if (state !== 'pending' && state !== 'failed') this.#acknowledged.add(text)
      }
      return wanted.filter((text) => !local.includes(text) && !this.#acknowledged.has(text))
    }
    await expect.poll(missing).toEqual([])
  }

  async #learnAcknowledged(): Promise<void> {
    if (!this.#isServed) return
    for (const text of await storedIn(this.#server, 'ana', this.#groupId)) this.#acknowledged.add(text)
  }
}

describe('a browser', () => {
  it.each(seeds)('loses and repeats nothing, in the life of seed %i', async (seed) => {
    const life = await Life.start(seed)
    try {
      await life.run()
      await life.expectAllThere()
    } catch (error) {
      throw new Error(`${life.log.join(', ')}: ${String(error)}`, { cause: error })
    }
  })
})
