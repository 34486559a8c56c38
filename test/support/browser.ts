/**
 * A browser for tests: tabs with channels and locks, without their delays. A tab that crashed posts nothing
 * more, receives nothing more, and holds no lock.
 */
import type { TabChannel } from '../../client/store/tab-channel.ts'

export class Browser {
  readonly tabs = new Set<Tab>()

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

  crash(): void {
    this.#browser.tabs.delete(this)
    this.#listeners.clear()
  }

  freeze(): void {
    this.#frozen = []
  }

  thaw(): void {
    const waiting = this.#frozen ?? []
    this.#frozen = null
    for (const deliver of waiting) deliver()
  }

  #receive(name: string, message: unknown): void {
    const deliver = () => {
      if (this.#frozen) this.#frozen.push(deliver)
      else for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(message)
    }
    queueMicrotask(deliver)
  }
}
