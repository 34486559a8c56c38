/**
 * Group list: all groups of the user, ordered by activity, and the pages of the server's list.
 *
 * The list is read again after each connection, and whenever a count cannot be derived from events. Groups with
 * no listener that the user is not in are dropped above `MAX_IDLE`.
 */

import { groupsPage } from '../wire-numbers.ts'
import { ComputedView } from './computed-view.ts'
import { GroupState } from './group-state.ts'
import { share, shareList } from './sharing.ts'
import type { StoreCore } from './store-core.ts'
import type { GroupItem, GroupsView } from './types.ts'

const MAX_IDLE = 100
/** Pages that are read without being asked for. */
const MAX_PAGES = 10
const REFRESH_MS = 300
const RETRY_MS = 3_000
/** Windows that are in memory without being on show. */
const MAX_WINDOWS = 20

export class GroupList {
  readonly view: ComputedView<GroupsView>
  readonly #core: StoreCore
  readonly #groups = new Map<string, GroupState>()
  /** Groups whose window was on show, the latest at the end. */
  readonly #windows = new Set<GroupState>()
  #cursor: string | undefined
  #isComplete = false
  #epoch = 0
  #cancelRefresh: (() => void) | null = null

  constructor(core: StoreCore) {
    this.#core = core
    this.view = new ComputedView<GroupsView>(
      { groups: [], isComplete: false, unread: 0, mentions: 0 },
      (before) => this.#compute(before),
    )
  }

  [Symbol.iterator](): IterableIterator<GroupState> {
    return this.#groups.values()
  }

  find(groupId: string): GroupState | undefined {
    return this.#groups.get(groupId)
  }

  /** The group, also if the user is not in it. */
  group(groupId: string): GroupState {
    const known = this.#groups.get(groupId)
    if (known) return known
    if (this.#groups.size >= MAX_IDLE) {
      const idle = [...this.#groups.values()].filter(({ isIdle }) => isIdle)
      for (const { groupId: id } of idle.slice(MAX_IDLE)) this.#groups.delete(id)
    }
    const group = new GroupState(groupId, this.#core)
    this.#groups.set(groupId, group)
    return group
  }

  windowUsed(group: GroupState, isUsed: boolean): void {
    this.#windows.delete(group)
    this.#windows.add(group)
    if (isUsed) return
    for (const one of this.#windows) {
      if (this.#windows.size <= MAX_WINDOWS) return
      if (one.window.view.isUsed) continue
      this.#windows.delete(one)
      one.window.drop()
    }
  }

  /** Reads the list from its start: all pages up to `MAX_PAGES`. */
  async refresh(): Promise<void> {
    this.#cancelRefresh?.()
    this.#cancelRefresh = null
    this.#epoch += 1
    const epoch = this.#epoch
    this.#cursor = undefined
    try {
      for (let pages = 0; pages < MAX_PAGES; pages += 1) {
        if (!(await this.#next(epoch))) return
      }
    } catch {
      if (epoch === this.#epoch && this.#core.isConnected) this.refreshSoon(RETRY_MS)
    }
  }

  refreshSoon(delayMs = REFRESH_MS): void {
    if (!this.#core.isConnected) return
    this.#cancelRefresh ??= this.#core.clock.after(delayMs, () => void this.refresh())
  }

  async loadMore(): Promise<void> {
    if (!this.#isComplete && this.#cursor !== undefined) await this.#next(this.#epoch)
  }

  remove(groupId: string): void {
    const group = this.#groups.get(groupId)
    if (!group?.row) return
    group.remove()
    if (this.#core.isLeader) this.#core.cache.remove('groups', groupId)
  }

  clear(): void {
    this.#epoch += 1
    this.#isComplete = false
    for (const group of this.#groups.values()) group.remove()
  }

  /** Whether there are more pages. */
  async #next(epoch: number): Promise<boolean> {
    const cursor = this.#cursor
    const page = await this.#core.request('get_groups', {
      limit: groupsPage,
      ...(cursor !== undefined && { cursor }),
    })
    if (epoch !== this.#epoch) return false
    for (const listing of page.groups) this.group(listing.group.groupId).merge(listing, listing.group.lastSeq)
    this.#cursor = page.cursor
    this.#isComplete = page.cursor === undefined
    this.view.changed()
    return !this.#isComplete
  }

  #compute(before: GroupsView): GroupsView {
    const items: GroupItem[] = []
    let unread = 0
    let mentions = 0
    for (const { info } of this.#groups.values()) {
      const item = info.view.getSnapshot()
      if (!item) continue
      items.push(item)
      unread += item.unread
      mentions += item.mentions
    }
    items.sort((a, b) => b.lastActivityAt - a.lastActivityAt || (a.groupId < b.groupId ? -1 : 1))
    return share(before, {
      groups: shareList(before.groups, items),
      isComplete: this.#isComplete,
      unread,
      mentions,
    })
  }
}
