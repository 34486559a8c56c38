/**
 * A browser for tests: tabs with channels and locks, without their delays. A tab that crashed posts nothing
 * more, receives nothing more, and holds no lock.
 */
import type { TabChannel } from '../../client/store/tab-channel.ts'
import type { TabLocks } from '../../client/store/tab-locks.ts'

interface LockRequest {
  readonly tab: Tab
  readonly held: () => void
  readonly lost: () => void
}

export class Browser {
  readonly tabs = new Set<Tab>()
  /** The requests for each lock; the first one holds it. */
  readonly locks = new Map<string, LockRequest[]>()

  openTab(): Tab {
    const tab = new Tab(this)
    this.tabs.add(tab)
    return tab
  }
}

export class Tab {
  readonly #browser: Browser
  readonly #listeners = new Map<string, Set<(message: unknown) => void>>()
  /** Messages that wait until the tab is no longer frozen. */
  #frozen: (() => void)[] | null = null
  readonly posted: unknown[] = []

  constructor(browser: Browser) {
    this.#browser = browser
  }

  get isOpen(): boolean {
    return this.#browser.tabs.has(this)
  }

  channel(name: string): TabChannel {
    const own = new Set<(message: unknown) => void>()
    const all = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, all)
    return {
      post: (message) => {
        if (!this.isOpen) return
        this.posted.push(message)
        const copy = structuredClone(message)
        for (const tab of this.#browser.tabs) if (tab !== this) tab.#receive(name, copy)
      },
      listen(listener) {
        all.add(listener)
        own.add(listener)
        return () => {
          all.delete(listener)
          own.delete(listener)
        }
      },
      close() {
        for (const listener of own) all.delete(listener)
      },
    }
  }

  /** Locks that are granted in the next microtask. */
  get locks(): TabLocks {
    return {
      acquire: (name, { steal }, held, lost) => {
        const { locks } = this.#browser
        const queue = locks.get(name) ?? []
        locks.set(name, queue)
        const request = { tab: this, held, lost }
        if (steal) {
          const [holder] = queue.splice(0, 1, request)
          if (holder) Tab.run(holder.tab, holder.lost)
        } else queue.push(request)
        if (queue[0] === request) this.#run(held)
        return () => release(queue, (other) => other === request)
      },
    }
  }

  crash(): void {
    this.#browser.tabs.delete(this)
    this.#listeners.clear()
    for (const queue of this.#browser.locks.values()) release(queue, ({ tab }) => tab === this)
  }

  freeze(): void {
    this.#frozen = []
  }

  /** With `drop`, what happened meanwhile is lost. */
  thaw({ drop = false } = {}): void {
    const waiting = drop ? [] : (this.#frozen ?? [])
    this.#frozen = null
    for (const deliver of waiting) deliver()
  }

  #receive(name: string, message: unknown): void {
    this.#run(() => {
      for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(message)
    })
  }

  /** Runs a callback of the browser, in the next microtask; in a frozen tab later. */
  #run(callback: () => void): void {
    queueMicrotask(() => {
      if (this.#frozen) this.#frozen.push(callback)
      else if (this.isOpen) callback()
    })
  }

  static run(tab: Tab, callback: () => void): void {
    tab.#run(callback)
  }
}

function release(queue: LockRequest[], which: (request: LockRequest) => boolean): void {
  const [holder] = queue
  queue.splice(0, queue.length, ...queue.filter((request) => !which(request)))
  const [next] = queue
  if (next && next !== holder) Tab.run(next.tab, next.held)
}
