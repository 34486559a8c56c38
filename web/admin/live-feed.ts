/**
 * Live feed: polls the server once a second while the page is visible and not paused.
 *
 * Holds the rows of the last five minutes. When polling resumes after a pause an empty row separates the
 * two parts, so that charts show a gap instead of a line.
 */
import { type AdminApi, AdminError } from './admin-api.ts'
import type { Figures } from './figures.ts'
import { type Row, rowOf } from './series.ts'

export type FeedStatus = 'loading' | 'live' | 'paused' | 'failing' | 'refused'

/** What the dashboard shows. A new object after each change. */
export interface FeedState {
  readonly status: FeedStatus
  /** Why the last poll failed. */
  readonly error: AdminError | null
  readonly now: Figures | null
  readonly before: Figures | null
  readonly rows: readonly Row[]
}

export const WINDOW_SECONDS = 300
const POLL_MS = 1_000
const GAP_SECONDS = 4

export class LiveFeed {
  readonly #api: AdminApi
  readonly #listeners = new Set<() => void>()
  #state: FeedState = { status: 'loading', error: null, now: null, before: null, rows: [] }
  #timer: ReturnType<typeof setTimeout> | undefined
  #isPolling = false

  constructor(api: AdminApi) {
    this.#api = api
  }

  readonly getSnapshot = (): FeedState => this.#state

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Polls until the returned function is called. */
  start(): () => void {
    const look = () => {
      if (document.hidden) clearTimeout(this.#timer)
      else void this.#poll()
    }
    document.addEventListener('visibilitychange', look)
    look()
    return () => {
      document.removeEventListener('visibilitychange', look)
      clearTimeout(this.#timer)
      this.#set({ status: 'paused' })
    }
  }

  pause(): void {
    clearTimeout(this.#timer)
    this.#set({ status: 'paused' })
  }

  resume(): void {
    if (this.#state.status !== 'paused') return
    this.#set({ status: 'loading' })
    void this.#poll()
  }

  async #poll(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#isPolling || this.#isEnded()) return
    this.#isPolling = true
    const startedAt = Date.now()
    try {
      this.#received(await this.#api.live())
    } catch (error) {
      this.#failed(error instanceof AdminError ? error : new AdminError(0, String(error)))
    }
    this.#isPolling = false
    if (this.#isEnded() || document.hidden) return
    this.#timer = setTimeout(() => void this.#poll(), Math.max(0, startedAt + POLL_MS - Date.now()))
  }

  #received(now: Figures): void {
    const { now: last, rows } = this.#state
    // Another dashboard has polled a moment ago: the server sends the same figures.
    if (this.#isEnded() || last?.stats.uptimeMs === now.stats.uptimeMs) return
    const atMs = Date.now()
    const at = atMs / 1_000
    const previous = rows.at(-1)
    const isGap = previous !== undefined && at - previous.at > GAP_SECONDS
    const isRestarted = last !== null && now.stats.uptimeMs < last.stats.uptimeMs
    const before = isGap || isRestarted ? null : last
    const recent = rows.filter((row) => row.at > at - WINDOW_SECONDS)
    const gap: Row[] = isGap ? [{ at: previous.at + 1 }] : []
    this.#set({
      status: 'live',
      error: null,
      now,
      before,
      rows: [...recent, ...gap, rowOf(now, before, atMs)],
    })
  }

  #failed(error: AdminError): void {
    if (this.#state.status === 'paused') return
    const isRefused = error.status === 401 || error.status === 403
    this.#set({ status: isRefused ? 'refused' : 'failing', error })
  }

  #isEnded(): boolean {
    return this.#state.status === 'paused' || this.#state.status === 'refused'
  }

  #set(change: Partial<FeedState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of [...this.#listeners]) listener()
  }
}
