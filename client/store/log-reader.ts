/**
 * Log reader: loads pages of a group's log, from the cache or from the server.
 *
 * A load reads one page or several. Events can be handled while it is in progress: an answer may have been made
 * before a change that is already on show. So every load collects the changes since its start, and applies them
 * to its pages before they are stored, and to the timeline that they became part of. A change that a page
 * contains already has no second effect.
 * Bounded: above `MAX_CHANGES` the load fails, and what it would have replaced stays.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { Message } from '../../protocol/records.ts'
import type { CachedItem } from './cache/message-cache.ts'
import type { GroupState } from './group-state.ts'
import type { StoreCore } from './store-core.ts'
import { type LogPage, pageOfHistory, type Timeline } from './timeline.ts'

const PAGE = 50
const MAX_CHANGES = 1_000

export interface ItemChange {
  readonly seq: number
  readonly change: (message: Message) => Message
}

export class LogReader {
  readonly #group: Pick<GroupState, 'groupId' | 'row'>
  readonly #core: StoreCore
  readonly #loads = new Set<LogLoad>()

  constructor(group: Pick<GroupState, 'groupId' | 'row'>, core: StoreCore) {
    this.#group = group
    this.#core = core
  }

  /** Runs a load; `run` returns what it loaded, up to date. */
  async load<T>(run: (load: LogLoad) => Promise<T>): Promise<T> {
    const load = new LogLoad(this.#group, this.#core)
    this.#loads.add(load)
    try {
      return await run(load)
    } finally {
      this.#loads.delete(load)
    }
  }

  /** A message has changed. */
  change(change: ItemChange): void {
    for (const load of this.#loads) load.changes.push(change)
  }

  /** Pages that are being loaded are not stored: what they contain was taken back (GAP-1). */
  drop(): void {
    for (const load of this.#loads) load.isDropped = true
  }
}

export class LogLoad {
  readonly changes: ItemChange[] = []
  isDropped = false
  readonly #group: Pick<GroupState, 'groupId' | 'row'>
  readonly #core: StoreCore

  constructor(group: Pick<GroupState, 'groupId' | 'row'>, core: StoreCore) {
    this.#group = group
    this.#core = core
  }

  /** The newest items up to `seq`, or the first from there on. With null, those at the end of the log. */
  async page(direction: 'older' | 'newer', seq: number | null): Promise<LogPage> {
    const { cache } = this.#core
    const { groupId } = this.#group
    const isOlder = direction === 'older'
    const place = seq ?? this.#lastSeq
    const cached = await (isOlder ? cache.older(groupId, place, PAGE) : cache.newer(groupId, place, PAGE))
    if (cached && (cached.items.length > 0 || cached.from <= 1)) return { ...cached, isNewest: true }
    const asked = isOlder ? (seq === null ? {} : { before: place + 1 }) : { after: place - 1 }
    // Events can be handled between the answer's arrival and here: the answer does not cover them.
    const lastSeq = this.#lastSeq
    const answer = await this.#core.request('get_history', { groupId, ...asked, limit: PAGE })
    const page = pageOfHistory(answer, asked, lastSeq)
    this.#core.learnMessages(answer.messages)
    // A tab that has not joined receives no changes of what it would store.
    if (!this.isDropped && this.#core.isConnected && page.to >= page.from) {
      cache.putItems(
        groupId,
        page.items.map((item) => this.#changed(item)),
        [page.from, page.to],
      )
    }
    return page
  }

  /** Adds newer pages, as long as the timeline does not reach the end of the log. */
  async extend(timeline: Timeline, maxPages: number): Promise<void> {
    for (let pages = 0; timeline.to < this.#lastSeq && pages < maxPages; pages += 1) {
      this.merge(timeline, await this.page('newer', timeline.to + 1))
    }
  }

  /** Adds a page to a timeline, as it is now. */
  merge(timeline: Timeline, page: LogPage): void {
    timeline.merge({ ...page, isNewest: page.isNewest && page.to >= this.#lastSeq })
    this.finish(timeline)
  }

  /** Applies the changes to what was loaded. */
  finish(timeline: Timeline): void {
    if (this.changes.length > MAX_CHANGES) throw new ChatError('overloaded')
    timeline.isNewest &&= timeline.to >= this.#lastSeq
    for (const seq of new Set(this.changes.map((change) => change.seq))) {
      const item = timeline.find(seq)
      if (item) timeline.insert(this.#changed(item))
    }
  }

  get #lastSeq(): number {
    return this.#group.row?.lastSeq ?? 0
  }

  #changed(item: CachedItem): CachedItem {
    if (!('message' in item)) return item
    const changes = this.changes.filter(({ seq }) => seq === item.seq)
    return changes.length === 0
      ? item
      : { ...item, message: changes.reduce((message, { change }) => change(message), item.message) }
  }
}
