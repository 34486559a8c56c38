/**
 * A tab life: random actions of a user in a page, with faults, against an engine in the same process.
 *
 * The page is a store on a cache in IndexedDB; a reload or a crash is a new store on the same cache. At the end
 * everything is connected, and what the store shows must be what the server has. Everything follows the seed.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { ChatStore } from '../../../client/store/chat-store.ts'
import { createMessageCache } from '../../../client/store/index.ts'
import type { MessageItem } from '../../../client/store/types.ts'
import type { Session } from '../../../engine/hub/session.ts'
import type { Message } from '../../../protocol/records.ts'
import { Browser, type Tab } from '../../support/browser.ts'
import { refusePuts } from '../../support/indexed-db.ts'
import { aStoreStage, messagesOf, type StoreStage } from './harness.ts'

const STEPS = 60
const groups = ['team', 'kitchen']

export interface LifeResult {
  /** What the store shows, and what the server has. */
  readonly shown: unknown
  readonly server: unknown
  readonly sent: readonly string[]
  /** The ids that the server has, with repetitions. */
  readonly stored: readonly string[]
  readonly drafts: unknown
  readonly expectedDrafts: unknown
}

interface Page {
  readonly tab: Tab
  readonly store: ChatStore
}

export class TabLife {
  readonly #random: () => number
  #dataDir: string
  readonly #tabs: number
  readonly #browser = new Browser()
  #stage!: StoreStage
  #bruno!: Session
  readonly #pages: Page[] = []
  readonly #sent: string[] = []
  readonly #drafts = new Map<string, string>()
  #count = 0
  #endQuota = () => {}
  readonly log: string[] = []

  constructor(seed: number, dataDir: string, tabs = 1) {
    this.#random = mulberry(seed)
    this.#dataDir = dataDir
    this.#tabs = tabs
  }

  async run(): Promise<LifeResult> {
    this.#stage = await aStoreStage({ dataDir: this.#dataDir, shards: 1 })
    await this.#enter()
    for (const groupId of groups) {
      await this.#bruno.createGroup({ kind: 'group', groupId, name: groupId, members: ['ana', 'carla'] })
    }
    for (let tab = 0; tab < this.#tabs; tab += 1) await this.#open()
    for (let step = 0; step < STEPS; step += 1) await this.#step()
    return await this.#end()
  }

  async #step(): Promise<void> {
    const actions: readonly (readonly [number, string, () => unknown])[] = [
      [12, 'send', () => this.#send()],
      [14, 'bruno sends', () => this.#brunoSends(1 + this.#below(3))],
      [4, 'bruno changes', () => this.#brunoChanges()],
      [5, 'change', () => this.#change()],
      [4, 'read', () => this.#pick(this.#pages).store.group(this.#group()).markRead()],
      [3, 'draft', () => this.#draft()],
      [3, 'older', () => void this.#pick(this.#pages).store.group(this.#group()).loadOlder()],
      [2, 'jump', () => this.#jump()],
      [3, 'cut', () => this.#cut()],
      [3, 'offline', () => this.#stage.offline('ana')],
      [4, 'online', () => this.#stage.online('ana')],
      [3, 'reload', () => this.#reload(false)],
      [2, 'crash', () => this.#reload(true)],
      [1, 'restart', () => this.#restart()],
      [1, 'away', () => this.#away()],
      [2, 'kill -9', () => this.#kill()],
      [2, 'expire', () => this.#stage.expire('ana')],
      [2, 'quota', () => this.#quota()],
    ]
    let at = this.#random() * actions.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, name, run] of actions) {
      at -= weight
      if (at >= 0) continue
      this.log.push(name)
      await run()
      break
    }
    // Some actions follow each other within one turn of the event loop.
    if (this.#random() < 0.7) await this.#stage.settle(this.#random() < 0.3 ? this.#below(4_000) : 60)
  }

  #send(): void {
    this.#count += 1
    const content = `ana ${this.#count}`
    const groupId = this.#group()
    this.#sent.push(this.#pick(this.#pages).store.group(groupId).send({ content }))
    this.#drafts.delete(groupId)
  }

  async #brunoSends(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      this.#count += 1
      const mentions = this.#random() < 0.2 ? ['ana'] : undefined
      const content = `bruno ${this.#count}`
      const sent = this.#bruno.sendMessage({
        groupId: this.#group(),
        content,
        tempId: content,
        ...(mentions && { mentions }),
      })
      // The engine may wait for its clock, which only the test advances.
      let isSent = false
      void sent.finally(() => {
        isSent = true
      })
      for (let turns = 0; !isSent; turns += 1) await (turns < 8 ? turn() : this.#stage.settle(20))
    }
  }

  async #brunoChanges(): Promise<void> {
    const groupId = this.#group()
    const { messages } = await this.#bruno.getHistory({ groupId, limit: 30 })
    const message = messages.length > 0 ? this.#pick(messages) : null
    if (!message) return
    const { messageId, senderId } = message
    const kind = this.#below(5)
    const mine = senderId === 'bruno'
    const work =
      kind === 0
        ? this.#bruno.deleteMessage({ messageId })
        : kind === 1 && mine
          ? this.#bruno.editMessage({
              messageId,
              content: `edited ${this.#count++}`,
              mentions: this.#random() < 0.3 ? ['ana'] : [],
            })
          : kind === 2
            ? this.#bruno.pinMessage({ messageId })
            : kind === 3
              ? this.#bruno.unreact({ messageId, emoji: '👍' })
              : this.#bruno.react({ messageId, emoji: '👍' })
    await work.catch(() => {})
  }

  #change(): void {
    const group = this.#pick(this.#pages).store.group(this.#group())
    const items = messagesOf(group.messages.getSnapshot().items).filter(({ messageId }) => messageId)
    if (items.length === 0) return
    const { messageId = '', mine } = this.#pick(items)
    const kind = this.#below(4)
    const work =
      kind === 0 && mine
        ? group.edit(messageId, `changed ${this.#count++}`)
        : kind === 1 && mine
          ? group.delete(messageId)
          : kind === 2
            ? group.unreact(messageId, '❤️')
            : group.react(messageId, '❤️')
    work.catch(() => {})
  }

  #draft(): void {
    this.#count += 1
    const groupId = this.#group()
    const text = `draft ${this.#count}`
    this.#pick(this.#pages).store.group(groupId).setDraft(text)
    this.#drafts.set(groupId, text)
  }

  /** Not awaited, as by a page: without a connection it waits for the next one. */
  #jump(): void {
    const group = this.#pick(this.#pages).store.group(this.#group())
    const place = this.#random() < 0.5 ? ('newest' as const) : { seq: 1 + this.#below(60) }
    group.jumpTo(place).catch(() => {})
  }

  #cut(): void {
    this.#stage.offline('ana')
    this.#stage.online('ana')
  }

  async #reload(isCrash: boolean): Promise<void> {
    // What was typed within the last milliseconds before a crash may be lost.
    if (isCrash) await this.#stage.settle(60)
    const at = this.#below(this.#pages.length)
    const [page] = this.#pages.splice(at, 1)
    if (!page) return
    if (isCrash) page.tab.crash()
    await page.store.close()
    page.tab.crash()
    await this.#open()
  }

  async #restart(): Promise<void> {
    await this.#stage.restart({ dataDir: this.#dataDir })
    await this.#enter()
  }

  async #kill(): Promise<void> {
    this.#dataDir = await this.#stage.kill(this.#dataDir)
    await this.#enter()
  }

  /** The browser has no room for messages, until it has. */
  #quota(): void {
    const isReached = this.#below(2) > 0
    this.#endQuota()
    this.#endQuota = isReached ? refusePuts('items') : () => {}
  }

  /** More is missed than `resume` replays. */
  async #away(): Promise<void> {
    this.#stage.offline('ana')
    await this.#stage.settle(60)
    await this.#brunoSends(30)
    await this.#brunoChanges()
    await this.#stage.settle(90_000)
    this.#stage.online('ana')
  }

  async #enter(): Promise<void> {
    this.#bruno = await this.#stage.engine.connect({ userId: 'bruno', name: 'Bruno' })
  }

  async #open(): Promise<void> {
    const tab = this.#browser.openTab()
    const channel = tab.channel('store')
    const clock = this.#stage.clock.forClient
    const cache = createMessageCache({ name: 'life', channel, clock })
    const tabs = this.#tabs > 1 ? { channel, locks: tab.locks } : (false as const)
    const store = this.#stage.store('ana', { cache, tabs })
    this.#pages.push({ tab, store })
    await store.open()
    store.connect()
    for (const groupId of groups) {
      const group = store.group(groupId)
      for (const view of [group.messages, group.members, group.pins, store.groups]) view.subscribe(() => {})
    }
  }

  async #end(): Promise<LifeResult> {
    this.#endQuota()
    this.#stage.online('ana')
    for (let i = 0; i < 6; i += 1) await this.#stage.settle(31_000)
    const shown: unknown[] = []
    for (const { store } of this.#pages) {
      const views: Record<string, unknown> = { state: store.connection.getSnapshot().state }
      for (const groupId of groups) views[groupId] = await this.#shown(store, groupId)
      shown.push(views)
    }
    const carla = await this.#stage.engine.connect({ userId: 'ana', name: 'ANA' })
    const { groups: listings } = await carla.getGroups({})
    const server: Record<string, unknown> = { state: 'live' }
    const stored: string[] = []
    for (const groupId of groups) {
      const messages = await historyOf(carla, groupId)
      stored.push(
        ...messages.flatMap(({ senderId, tempId }) => (senderId === 'ana' && tempId ? [tempId] : [])),
      )
      const { messages: pins } = await carla.getPins({ groupId })
      const listing = listings.find(({ group }) => group.groupId === groupId)
      server[groupId] = {
        messages: messages.map(summary),
        pins: pins.map(({ messageId }) => messageId),
        unread: listing?.unread,
        mentions: listing?.mentions,
        readSeq: listing?.readSeq,
        last: listing?.lastMessage && summary(listing.lastMessage),
        waiting: 0,
        twins: 0,
      }
    }
    const drafts = this.#pages.map(({ store }) =>
      groups.map((groupId) => store.group(groupId).info.getSnapshot()?.draft),
    )
    const expected = groups.map((groupId) => this.#drafts.get(groupId) ?? '')
    return {
      shown,
      server: this.#pages.map(() => server),
      sent: this.#sent,
      stored,
      drafts,
      expectedDrafts: this.#pages.map(() => expected),
    }
  }

  async #shown(store: ChatStore, groupId: string): Promise<unknown> {
    const group = store.group(groupId)
    await group.jumpTo('newest')
    for (let page = 0; page < 20 && group.messages.getSnapshot().hasOlder; page += 1) await group.loadOlder()
    const items = messagesOf(group.messages.getSnapshot().items)
    const info = group.info.getSnapshot()
    return {
      messages: items.map(itemSummary),
      pins: group.pins.getSnapshot().pins.map(({ messageId }) => messageId),
      unread: info?.unread,
      mentions: info?.mentions,
      readSeq: info?.readSeq,
      last: info?.lastMessage && itemSummary(info.lastMessage),
      waiting: items.filter(({ state, changing }) => state === 'pending' || state === 'failed' || changing)
        .length,
      twins: items.length - new Set(items.map(({ key }) => key)).size,
    }
  }

  #group(): string {
    return this.#pick(groups)
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T
  }
}

async function historyOf(session: Session, groupId: string): Promise<readonly Message[]> {
  const all: Message[] = []
  for (let before: number | undefined; ; ) {
    const page = await session.getHistory({ groupId, limit: 200, ...(before !== undefined && { before }) })
    all.unshift(...page.messages)
    before = page.messages[0]?.seq
    if (!page.hasMore) return all
  }
}

function summary({ messageId, content, deletedAt, editedAt, pinnedAt, reactions = [] }: Message): string {
  return describe(messageId, content, deletedAt !== undefined, editedAt, pinnedAt, reactions)
}

function itemSummary({ messageId, content, deletedAt, editedAt, pinnedAt, reactions }: MessageItem): string {
  return describe(messageId, content, deletedAt !== undefined, editedAt, pinnedAt, reactions)
}

function describe(
  id: string | undefined,
  content: string,
  isDeleted: boolean,
  editedAt: number | undefined,
  pinnedAt: number | undefined,
  reactions: MessageItem['reactions'],
): string {
  const by = reactions.map(({ emoji, count }) => `${emoji}${count}`).sort()
  return `${id} ${content} ${isDeleted ? 'deleted' : ''} ${editedAt ? 'edited' : ''} ${pinnedAt ? 'pinned' : ''} ${by}`
}

/** Numbers from 0 to 1 that follow a seed. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
