/**
 * A life of a browser with several tabs of one user, from a seed: they write, draft, crash, close, freeze, lose the network,
 * the token, the server and their database. In the end every tab must show what the server has.
 *
 * The tabs share a browser (channel, locks, IndexedDB); the server is an engine in the same process.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { createMessageCache } from '../../../client/store/cache/batched-cache.ts'
import type { MessageCache } from '../../../client/store/cache/message-cache.ts'
import { ChatStore } from '../../../client/store/chat-store.ts'
import { closeCodes } from '../../../protocol/close-codes.ts'
import type { Message } from '../../../protocol/records.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { MemorySocket } from '../../../testing/memory-socket.ts'
import { startTestEngine, type TestEngine } from '../../../testing/test-engine.ts'
import { Random } from '../../engine/simulation/random.ts'
import { Browser, type Tab } from '../../support/browser.ts'
import { crashImage } from '../../support/engines.ts'
import { refusePuts } from '../../support/indexed-db.ts'
import { messagesOf } from './harness.ts'

const DAY_MS = 86_400_000
const MAX_TABS = 3
const weights = {
  write: 30,
  draft: 12,
  change: 10,
  receive: 10,
  open: 10,
  crash: 8,
  close: 4,
  network: 6,
  cut: 5,
  restart: 3,
  kill: 3,
  expire: 3,
  quota: 3,
  freeze: 4,
  evict: 3,
  days: 2,
}
const groups = ['team', 'other']
const ana = { userId: 'ana', name: 'Ana' }
const bruno = { userId: 'bruno', name: 'Bruno' }

interface OpenTab {
  readonly tab: Tab
  readonly store: ChatStore
  readonly cache: MessageCache
  isFrozen: boolean
}

export class BrowserLife {
  readonly log: string[] = []
  readonly #random: Random
  #dataDir: string
  readonly #factory: IDBFactory
  readonly #clock = new ManualClock()
  readonly #browser = new Browser()
  readonly #sockets = new Map<MemorySocket, Tab>()
  readonly #tabs: OpenTab[] = []
  readonly #written: { readonly groupId: string; readonly content: string }[] = []
  readonly #drafts = new Map<string, string>()
  #engine: TestEngine
  #isOnline = true
  /** Calls of the token function that fail. */
  #tokensRefused = 0
  #endQuota = () => {}

  private constructor(seed: number, dataDir: string, factory: IDBFactory, engine: TestEngine) {
    this.#random = new Random(seed)
    this.#dataDir = dataDir
    this.#factory = factory
    this.#engine = engine
  }

  /** Runs the life; returns what is wrong in the end. */
  static async run(seed: number, dataDir: string, factory: IDBFactory): Promise<readonly string[]> {
    const engine = await startTestEngine({ dataDir })
    const life = new BrowserLife(seed, dataDir, factory, engine)
    try {
      for (const groupId of groups) {
        const fields = { kind: 'group', groupId, name: groupId, members: ['bruno'] } as const
        await engine.request(ana, 'create_group', fields)
      }
      life.#open()
      await life.#settle(500)
      const steps = life.#random.between(10, 30)
      for (let step = 0; step < steps; step += 1) await life.#step()
      return await life.#check()
    } finally {
      life.#endQuota()
      for (const open of life.#tabs) await open.store.close()
      await life.#engine.close()
    }
  }

  async #step(): Promise<void> {
    const actions = {
      write: () => this.#write(),
      draft: () => this.#draft(),
      change: () => this.#change(),
      receive: () => this.#receive(),
      open: () => this.#open(),
      crash: () => this.#crash(),
      close: () => this.#close(),
      network: () => this.#setOnline(!this.#isOnline),
      cut: () => this.#cut(),
      restart: () => this.#restart(),
      kill: () => this.#kill(),
      expire: () => this.#expire(),
      quota: () => this.#quota(),
      freeze: () => this.#freeze(),
      evict: () => this.#evict(),
      days: () => this.#days(),
    }
    await actions[this.#random.weighted(weights)]()
    const ms = this.#random.pick([-1, 0, 1, 40, 300, 3_000])
    if (ms >= 0) await this.#settle(ms)
  }

  #open(): void {
    if (this.#tabs.length >= MAX_TABS) return
    this.log.push('open')
    const tab = this.#browser.openTab()
    const channel = tab.channel('tertulia')
    const clock = {
      ...this.#clock.forClient,
      after: (delayMs: number, then: () => void) =>
        this.#clock.after(delayMs, () => {
          if (tab.isOpen) then()
        }),
    }
    const cache = createMessageCache({ name: 'tertulia', channel, clock })
    const store = new ChatStore({
      url: 'http://memory.invalid',
      token: () => {
        this.#tokensRefused -= 1
        if (this.#tokensRefused >= 0) throw new Error('no token now')
        return JSON.stringify(ana)
      },
      clock,
      cache,
      tabs: { channel, locks: tab.locks },
      openSocket: async () => {
        if (!this.#isOnline || !tab.isOpen) throw new Error('offline')
        const socket = new MemorySocket(this.#engine.gateway, (ended) => this.#sockets.delete(ended))
        this.#sockets.set(socket, tab)
        return socket as unknown as WebSocket
      },
    })
    this.#tabs.push({ tab, store, cache, isFrozen: false })
    store.connect()
    for (const groupId of groups) store.group(groupId).messages.subscribe(() => {})
  }

  #pick(): OpenTab | undefined {
    const awake = this.#tabs.filter(({ isFrozen }) => !isFrozen)
    return awake.length > 0 ? this.#random.pick(awake) : undefined
  }

  #write(): void {
    const open = this.#pick()
    const groupId = this.#random.pick(groups)
    // As in a page: nothing can be written into a group that is not on show yet.
    if (!open?.store.group(groupId).info.getSnapshot()) return
    const content = `message ${this.#written.length + 1}`
    this.log.push(`write ${content} in ${groupId} by tab ${this.#tabs.indexOf(open)}`)
    open.store.group(groupId).send({ content })
    this.#written.push({ groupId, content })
    this.#drafts.delete(groupId)
  }

  #draft(): void {
    const open = this.#pick()
    const groupId = this.#random.pick(groups)
    if (!open?.store.group(groupId).info.getSnapshot()) return
    const text = `draft ${this.log.length}`
    this.log.push(`${text} in ${groupId} by tab ${this.#tabs.indexOf(open)}`)
    open.store.group(groupId).setDraft(text)
    this.#drafts.set(groupId, text)
  }

  /** Edits, deletes or reacts to a message on show. */
  #change(): void {
    const open = this.#pick()
    const group = open?.store.group(this.#random.pick(groups))
    const shown = messagesOf(group?.messages.getSnapshot().items ?? [])
    const sent = shown.filter(({ messageId, deletedAt }) => messageId && deletedAt === undefined)
    if (!open || !group || sent.length === 0) return
    const { messageId = '', mine, content } = this.#random.pick(sent)
    const what = this.#random.pick(['react', 'unreact', mine ? 'edit' : 'react'])
    this.log.push(`${what} ${messageId} by tab ${this.#tabs.indexOf(open)}`)
    const done =
      what === 'edit'
        ? group.edit(messageId, `${content} edited`)
        : what === 'react'
          ? group.react(messageId, '👍')
          : group.unreact(messageId, '👍')
    done.catch(() => {})
  }

  /** Bruno writes, or changes a message. */
  async #receive(): Promise<void> {
    const groupId = this.#random.pick(groups)
    const session = await this.#engine.connect(bruno)
    const { messages } = await session.getHistory({ groupId })
    const own = messages.filter(({ senderId }) => senderId === 'bruno')
    this.log.push(`bruno in ${groupId}`)
    if (own.length > 0 && this.#random.between(1, 3) === 1) {
      const { messageId } = this.#random.pick(own)
      await session.editMessage({ messageId, content: `edited ${this.log.length}` })
    } else
      await session.sendMessage({
        groupId,
        content: `from bruno ${this.log.length}`,
        tempId: `b${this.log.length}`,
      })
    session.close()
  }

  /** The process of a tab ends. What it has shown for a moment is stored, or known to another tab. */
  async #crash(): Promise<void> {
    const open = this.#pick()
    if (!open) return
    // What has no room anywhere is in the tabs that are open.
    this.#endQuota()
    const isAlone = this.#tabs.every((other) => other === open || other.isFrozen)
    if (isAlone) await open.cache.flush()
    else await turn()
    this.log.push(`crash of tab ${this.#tabs.indexOf(open)}`)
    this.#end(open)
  }

  async #close(): Promise<void> {
    const open = this.#pick()
    if (!open) return
    this.#endQuota()
    this.log.push(`close of tab ${this.#tabs.indexOf(open)}`)
    await open.store.close()
    this.#end(open)
  }

  #end(open: OpenTab): void {
    open.tab.crash()
    this.#tabs.splice(this.#tabs.indexOf(open), 1)
    for (const [socket, tab] of this.#sockets) if (tab === open.tab) socket.cut()
  }

  #setOnline(isOnline: boolean): void {
    this.log.push(isOnline ? 'online' : 'offline')
    this.#isOnline = isOnline
    if (!isOnline) this.#cut()
  }

  #cut(): void {
    this.log.push('cut')
    for (const socket of [...this.#sockets.keys()]) socket.cut()
  }

  async #restart(): Promise<void> {
    this.log.push('restart')
    this.#cut()
    const startMs = this.#engine.clock.now()
    await this.#engine.close()
    this.#engine = await startTestEngine({ dataDir: this.#dataDir, startMs })
  }

  /** The process of the server ends, with what it had not written yet. */
  async #kill(): Promise<void> {
    this.log.push('kill -9')
    const image = crashImage(this.#dataDir)
    this.#cut()
    const startMs = this.#engine.clock.now()
    await this.#engine.close()
    this.#dataDir = image
    this.#engine = await startTestEngine({ dataDir: image, startMs })
  }

  /** The server ends the sessions whose token has expired; the next token comes at once, or later. */
  #expire(): void {
    this.log.push('expire')
    this.#tokensRefused = this.#random.between(0, 2)
    for (const socket of [...this.#sockets.keys()]) {
      const { onclose } = socket
      socket.close()
      onclose?.({ code: closeCodes.token_expired.code, reason: '' })
    }
  }

  /** The browser has no room for messages, or for anything, until it has. */
  #quota(): void {
    const which = this.#random.pick(['items', 'all', 'none'] as const)
    this.log.push(`quota ${which}`)
    this.#endQuota()
    if (which !== 'none') this.#endQuota = refusePuts(which)
  }

  /** As a page in the page cache of the browser, whose messages may be dropped. */
  #freeze(): void {
    const frozen = this.#tabs.find(({ isFrozen }) => isFrozen)
    if (frozen) this.#thaw(frozen)
    else {
      const open = this.#pick()
      if (!open || this.#tabs.length < 2) return
      this.log.push(`freeze tab ${this.#tabs.indexOf(open)}`)
      open.isFrozen = true
      open.tab.freeze()
    }
  }

  #thaw(open: OpenTab): void {
    this.log.push(`thaw tab ${this.#tabs.indexOf(open)}`)
    open.isFrozen = false
    open.tab.thaw()
  }

  /** The browser deletes the database; there must be a tab that knows what was in it. */
  async #evict(): Promise<void> {
    if (!this.#pick()) return
    this.#endQuota()
    this.log.push('evict')
    await new Promise((resolve) => {
      const request = this.#factory.deleteDatabase('tertulia')
      request.onsuccess = resolve
      request.onerror = resolve
    })
    await this.#settle(100)
  }

  async #days(): Promise<void> {
    if (this.#tabs.some(({ isFrozen }) => isFrozen)) return
    this.#endQuota()
    this.log.push('three days')
    for (const open of [...this.#tabs]) {
      await open.cache.flush()
      this.#end(open)
    }
    this.#engine.clock.advance(3 * DAY_MS)
    this.#clock.advance(3 * DAY_MS)
    this.#open()
  }

  /** Lets everything that was started arrive. */
  async #settle(ms: number): Promise<void> {
    for (let leftMs = ms; ; ) {
      for (let turns = 0; turns < 12; turns += 1) await turn()
      await Promise.all(this.#tabs.filter(({ isFrozen }) => !isFrozen).map(({ cache }) => cache.flush()))
      const stepMs = Math.min(leftMs, Math.max(1, this.#clock.dueInMs[0] ?? leftMs))
      leftMs -= stepMs
      this.#clock.advance(stepMs)
      await this.#engine.advance(stepMs)
      if (leftMs <= 0) break
    }
    for (let turns = 0; turns < 12; turns += 1) await turn()
  }

  async #check(): Promise<readonly string[]> {
    this.#endQuota()
    for (const open of this.#tabs) if (open.isFrozen) this.#thaw(open)
    this.#setOnline(true)
    if (this.#tabs.length === 0) this.#open()
    for (let wait = 0; wait < 30; wait += 1) {
      await this.#settle(3_000)
      if (this.#tabs.every(({ store }) => isQuiet(store))) break
    }
    const faults: string[] = []
    for (const [at, { store }] of this.#tabs.entries()) {
      const { state } = store.connection.getSnapshot()
      if (state !== 'live') faults.push(`tab ${at} is ${state}`)
    }
    for (const groupId of groups) {
      const { messages } = await this.#engine.request(ana, 'get_history', { groupId, limit: 200 })
      const sent = messages.filter(({ senderId }) => senderId === 'ana')
      const expected = this.#written.filter((one) => one.groupId === groupId).map(({ content }) => content)
      const stored = sent.map(({ content }) => content.replaceAll(' edited', ''))
      if (stored.join() !== expected.join())
        faults.push(`${groupId}: ${stored.join()} instead of ${expected.join()}`)
      for (const [at, { store }] of this.#tabs.entries()) {
        const group = store.group(groupId)
        while (group.messages.getSnapshot().hasOlder) {
          const before = group.messages.getSnapshot().items.length
          await Promise.all([group.loadOlder(), this.#settle(100)])
          if (group.messages.getSnapshot().items.length === before) break
        }
        const shown = messagesOf(group.messages.getSnapshot().items).map(lineOf).join('\n')
        const wanted = messages.map((message) => lineOf({ ...message, state: 'sent' })).join('\n')
        if (shown !== wanted) faults.push(`tab ${at} shows of ${groupId}:\n${shown}\ninstead of\n${wanted}`)
        const { draft, pending } = group.info.getSnapshot() ?? { draft: 'none', pending: -1 }
        if (pending !== 0) faults.push(`tab ${at} has ${pending} pending in ${groupId}`)
        const wantedDraft = this.#drafts.get(groupId) ?? ''
        if (draft !== wantedDraft)
          faults.push(`tab ${at} has the draft "${draft}" instead of "${wantedDraft}"`)
      }
    }
    const [open] = this.#tabs
    await open?.cache.flush()
    const { outbox = [], drafts = [] } = (await open?.cache.open()) ?? {}
    if (outbox.length > 0) faults.push(`the outbox has ${outbox.map(({ key }) => key).join()}`)
    for (const { groupId, text } of drafts) {
      if (this.#drafts.get(groupId) !== text) faults.push(`the draft "${text}" of ${groupId} is stored`)
    }
    return faults.length > 0 ? [...faults, ...this.log] : []
  }
}

function isQuiet(store: ChatStore): boolean {
  const { groups: all } = store.groups.getSnapshot()
  const isLoading = groups.some((groupId) => store.group(groupId).messages.getSnapshot().loading)
  const isLive = store.connection.getSnapshot().state === 'live'
  return isLive && !isLoading && all.every(({ pending }) => pending === 0)
}

function lineOf(
  message: Pick<Message, 'content' | 'reactions'> & {
    readonly messageId?: string | undefined
    readonly state: string
  },
): string {
  const { messageId, content, reactions = [], state } = message
  const isWaiting = state === 'pending' || state === 'failed'
  return `${messageId} ${content} ${reactions.map(({ emoji, count }) => emoji + count).join()}${isWaiting ? state : ''}`
}
