/**
 * Group window: the part of a group's messages on show, over the log of the server and the cache.
 *
 * It starts with the newest messages, from the cache if they are there. Pages extend it in both directions, a
 * jump replaces it. What `resume` did not replay is shown as a hole until the window is loaded again, because
 * anything in it may have changed meanwhile; the same after a `gap` (GAP-1).
 * Bounded: above `MAX_ITEMS` the end that is far from the last page is dropped.
 */
import type { Message } from '../../protocol/records.ts'
import type { CachedItem } from './cache/message-cache.ts'
import { ComputedView } from './computed-view.ts'
import type { GroupState } from './group-state.ts'
import { type LogLoad, LogReader } from './log-reader.ts'
import { seqOf } from './message-changes.ts'
import { MessageItems } from './message-items.ts'
import { Quotes } from './quotes.ts'
import { share, shareList } from './sharing.ts'
import type { StoreCore } from './store-core.ts'
import { type LogPage, Timeline } from './timeline.ts'
import type { GroupHandle, Item, WindowView } from './types.ts'

const MAX_ITEMS = 500
/** Items above the bound until the timeline is trimmed. */
const TRIM_EVERY = 50
/** Pages that are loaded to find the messages before again. */
const MAX_RELOADED = 4

const empty: WindowView = {
  items: [],
  isLoaded: false,
  hasOlder: false,
  hasNewer: false,
  loading: null,
  firstUnreadSeq: null,
  target: null,
}

type Place = Parameters<GroupHandle['jumpTo']>[0]

export class GroupWindow {
  readonly view: ComputedView<WindowView>
  readonly #group: GroupState
  readonly #core: StoreCore
  readonly #items = new MessageItems()
  readonly #reader: LogReader
  readonly #quotes: Quotes
  #timeline: Timeline | null = null
  #loading: WindowView['loading'] = null
  /** Ends when what is loaded now has been loaded. */
  #loaded: Promise<void> = Promise.resolve()
  /** Increases when the timeline is replaced: the result of an older request is dropped. */
  #epoch = 0
  #target: WindowView['target'] = null
  #jumps = 0
  /** The read mark and the count when the group was opened with unread messages. */
  #openedAt: { readonly readSeq: number; readonly unread: number } | null = null
  #hole: { readonly from: number; readonly to: number } | null = null
  /** The timeline must be loaded again, once there is a connection. */
  #isOutdated = false
  #isReloading = false

  constructor(group: GroupState, core: StoreCore) {
    this.#group = group
    this.#core = core
    this.#reader = new LogReader(group, core)
    this.#quotes = new Quotes(group.groupId, core, () => this.changed())
    this.view = new ComputedView(
      empty,
      (before) => this.#compute(before),
      (isUsed) => {
        if (isUsed) this.open()
        else this.#openedAt = null
        core.windowUsed(group, isUsed)
        group.members.refresh()
      },
    )
  }

  get timeline(): Timeline | null {
    return this.#timeline
  }

  /** Nothing within the timeline is missing or outdated. */
  get isComplete(): boolean {
    return this.#hole === null && !this.#isOutdated && !this.#isReloading
  }

  /** The newest of the messages on show that the user sent. */
  get ownSeqs(): readonly number[] {
    const own: number[] = []
    for (const item of this.#timeline?.items ?? []) {
      if ('message' in item && item.message.senderId === this.#core.me) own.push(item.seq)
    }
    return own.reverse()
  }

  message(messageId: string): Message | undefined {
    const item = this.#timeline?.find(seqOf(messageId))
    return item && 'message' in item ? item.message : this.#quotes.find(messageId)
  }

  /** Loads what is missing, if the window is on show. */
  open(): void {
    const { row } = this.#group
    if (!row || !this.view.isUsed) return
    const { readSeq = 0, unread } = row
    if (unread > 0) this.#openedAt ??= { readSeq, unread }
    if (!this.#timeline) void this.jumpTo('newest').catch(() => {})
    else if (this.#isOutdated) void this.#reload()
  }

  /** Shows messages that were rendered on a server. */
  preload(page: LogPage): void {
    this.#timeline = new Timeline(page)
    this.changed()
  }

  /** Forgets everything; loads again if the window is on show. */
  drop(): void {
    this.#epoch += 1
    this.#timeline = null
    this.#hole = null
    this.#isReloading = false
    this.#loading = null
    this.#quotes.clear()
    this.changed()
  }

  /** The lines from `seq` on count as unread. */
  markUnread(seq: number): void {
    this.#openedAt = { readSeq: seq - 1, unread: Number.POSITIVE_INFINITY }
  }

  /** A live event of the group: the log has reached `seq`. */
  advance(seq: number, item?: CachedItem): void {
    if (!this.#timeline) return
    this.#timeline.advance(seq, item)
    if (this.#timeline.items.length > MAX_ITEMS + TRIM_EVERY) this.#timeline.trim(MAX_ITEMS, 'older')
    this.changed()
  }

  /** A message of the user was stored; its event may arrive later. */
  stored(message: Message): void {
    const timeline = this.#timeline
    if (timeline && (timeline.isNewest || message.seq <= timeline.to) && message.seq >= timeline.from) {
      timeline.insert({ groupId: message.groupId, seq: message.seq, message })
    }
    this.changed()
  }

  change(messageId: string, change: (message: Message) => Message): void {
    const seq = seqOf(messageId)
    this.#reader.change({ seq, change })
    this.#quotes.change(messageId, change)
    const item = this.#timeline?.find(seq)
    if (item && 'message' in item) this.#timeline?.insert({ ...item, message: change(item.message) })
    this.changed()
  }

  /** Events from `from` to `to` were not received. */
  missed(from: number, to: number): void {
    if (!this.#timeline) return
    if (this.#timeline.isNewest) this.#hole = { from: this.#hole?.from ?? from, to }
    this.outdated()
  }

  /** Anything on show may have changed. */
  outdated(): void {
    this.#isOutdated = true
    this.#reader.drop()
    this.#quotes.clear()
    this.#epoch += 1
    this.#loading = null
    this.changed()
    this.open()
  }

  changed(): void {
    this.view.changed()
  }

  /** Adds a page; while something is loaded already, waits for that. If it fails, the next call tries again. */
  load(direction: 'older' | 'newer'): Promise<void> {
    if (!this.#loading && this.#timeline) this.#loaded = this.#load(direction, this.#timeline)
    return this.#loaded.catch(() => {})
  }

  async #load(direction: 'older' | 'newer', timeline: Timeline): Promise<void> {
    const isOlder = direction === 'older'
    const hasMore = () => (isOlder ? timeline.from > 1 : !timeline.isNewest)
    if (!hasMore()) return
    const epoch = this.#epoch
    this.#setLoading(direction)
    try {
      const count = timeline.items.length
      // A page of the cache may contain no messages.
      while (timeline.items.length === count && hasMore()) {
        await this.#reader.load(async (load) => {
          const page = await load.page(direction, isOlder ? timeline.from - 1 : timeline.to + 1)
          if (epoch === this.#epoch) load.merge(timeline, page)
        })
        if (epoch !== this.#epoch) return
      }
      timeline.trim(MAX_ITEMS, isOlder ? 'newer' : 'older')
    } finally {
      if (epoch === this.#epoch) this.#setLoading(null)
    }
  }

  /** @throws a ChatError or ClientError if the place cannot be loaded. */
  async jumpTo(place: Place): Promise<void> {
    if (place === 'newest' && this.#timeline?.isNewest) {
      this.#show(this.#timeline.items.at(-1)?.seq)
      return
    }
    const known = typeof place === 'object' && 'seq' in place ? this.#timeline?.find(place.seq) : undefined
    if (known) {
      this.#show(known.seq)
      return
    }
    this.#loaded = this.#jump(place)
    await this.#loaded
  }

  async #jump(place: Place): Promise<void> {
    this.#epoch += 1
    const epoch = this.#epoch
    this.#setLoading('jump')
    try {
      const isNewest = place === 'newest'
      const seq = isNewest ? this.#lastSeq() : await this.#seqOf(place)
      await this.#reader.load(async (load) => {
        const timeline = new Timeline(await load.page('older', isNewest ? null : seq))
        await load.extend(timeline, isNewest ? MAX_RELOADED : 1)
        if (epoch !== this.#epoch) return
        load.finish(timeline)
        const hadTimeline = this.#timeline !== null
        this.#replace(timeline)
        // The first messages of the window are no jump.
        if (hadTimeline || !isNewest)
          this.#show((isNewest ? timeline.items.at(-1) : nearest(timeline, seq))?.seq)
      })
    } finally {
      if (epoch === this.#epoch) this.#setLoading(null)
    }
  }

  #lastSeq(): number {
    return this.#group.row?.lastSeq ?? 0
  }

  /** The seq of a place that is not the end of the log. */
  async #seqOf(place: Exclude<Place, 'newest'>): Promise<number> {
    const readSeq = this.#group.row?.readSeq ?? 0
    if (place === 'unread') return Math.min(readSeq + 1, this.#lastSeq())
    if ('seq' in place) return place.seq
    let low = 1
    let high = Math.max(1, this.#lastSeq())
    while (low < high) {
      const middle = (low + high) >> 1
      const { messages } = await this.#core.request('get_history', {
        groupId: this.#group.groupId,
        after: middle - 1,
        limit: 1,
      })
      const [message] = messages
      if (!message || message.createdAt >= place.time) high = middle
      else low = message.seq + 1
    }
    return low
  }

  /** Loads the place on show again: what was there may have changed. */
  async #reload(): Promise<void> {
    const before = this.#timeline
    if (!before || !this.#core.isConnected) return
    this.#isOutdated = false
    this.#isReloading = true
    this.#epoch += 1
    const epoch = this.#epoch
    try {
      await this.#reader.load((load) => this.#reloadBy(load, before, epoch))
    } catch {
      if (epoch === this.#epoch) this.#isOutdated = true
    } finally {
      if (epoch === this.#epoch) this.#isReloading = false
    }
  }

  async #reloadBy(load: LogLoad, before: Timeline, epoch: number): Promise<void> {
    const middle = before.items[before.items.length >> 1]?.seq ?? null
    let timeline = new Timeline(await load.page('older', before.isNewest ? null : middle))
    for (let pages = 1; pages < MAX_RELOADED && timeline.from > Math.max(1, before.from); pages += 1) {
      timeline.merge(await load.page('older', timeline.from - 1))
    }
    await load.extend(timeline, before.isNewest ? MAX_RELOADED : 1)
    if (epoch !== this.#epoch) return
    load.finish(timeline)
    // Equal messages stay the same objects, with the notices between them.
    if (timeline.from <= before.to + 1 && timeline.from >= before.from) {
      const { from, to, items, isNewest } = timeline
      timeline = new Timeline({ from, to, items: before.items.filter(({ seq }) => seq >= from), isNewest })
      timeline.merge({ from, to, items, isNewest })
    }
    this.#replace(timeline)
  }

  #replace(timeline: Timeline): void {
    this.#timeline = timeline
    this.#hole = null
    this.changed()
    this.#group.receipts.shown()
  }

  #show(seq: number | undefined): void {
    const item = seq === undefined ? undefined : this.#timeline?.find(seq)
    if (!item) return
    this.#jumps += 1
    const isMine = 'message' in item && item.message.senderId === this.#core.me
    const key = 'notice' in item ? item.notice.key : (isMine && item.message.tempId) || item.message.messageId
    this.#target = { key, jump: this.#jumps }
    this.changed()
  }

  #setLoading(loading: WindowView['loading']): void {
    this.#loading = loading
    this.changed()
  }

  #compute(before: WindowView): WindowView {
    const timeline = this.#timeline
    const { me, people, outgoing } = this.#core
    const { groupId, row } = this.#group
    const context = {
      me,
      people,
      entries: outgoing.of(groupId),
      marks: row?.marks ?? [],
      find: (messageId: string) => {
        const known = this.message(messageId)
        if (!known) this.#quotes.load(messageId)
        return known
      },
    }
    const items: Item[] = this.#items.list(timeline?.items ?? [], context)
    if (this.#hole) {
      const { from, to } = this.#hole
      const at = items.findIndex((item) => item.kind !== 'hole' && (item.seq ?? to + 1) > to)
      const hole: Item = { kind: 'hole', key: `hole:${from}`, from, to }
      const known = before.items.find((item) => item.kind === 'hole' && item.to === to && item.from === from)
      items.splice(at < 0 ? items.length : at, 0, known ?? hole)
    }
    return share(before, {
      items: shareList(before.items, items),
      isLoaded: timeline !== null,
      hasOlder: timeline !== null && timeline.from > 1,
      hasNewer: timeline !== null && !timeline.isNewest,
      loading: this.#loading,
      firstUnreadSeq: this.#firstUnread(),
      target: this.#target,
    })
  }

  #firstUnread(): number | null {
    const openedAt = this.#openedAt
    const timeline = this.#timeline
    if (!openedAt || !timeline) return null
    const { me } = this.#core
    const unread = timeline.items.filter(
      (item) => item.seq > openedAt.readSeq && 'message' in item && item.message.senderId !== me,
    )
    const isFirst = timeline.from <= openedAt.readSeq + 1 || unread.length >= openedAt.unread
    return (isFirst && unread[0]?.seq) || null
  }
}

/** The item at `seq`, or the next one, or the last. */
function nearest({ items }: Timeline, seq: number): CachedItem | undefined {
  return items.find((item) => item.seq >= seq) ?? items.at(-1)
}
