/**
 * Missing parts: what the page loads when it is needed, and why some of it could not be loaded.
 *
 * A part that fails is loaded again while it is wanted: when the browser has a network or the connection is live again, and
 * after delays that double up to a minute. Browsers that remember the failure of a module (whatwg/html#6768) need a reload of the page.
 */
import type { ConnectionView, View } from '../client/store/types.ts'
import { ViewCell } from '../client/store/view-cell.ts'

/**
 * - `unreachable`: the server does not answer.
 * - `removed`: it answers, and does not have the part, for instance because it was updated.
 */
export type MissingReason = 'unreachable' | 'removed'

const FIRST_DELAY_MS = 1_000
const MAX_DELAY_MS = 60_000

export class MissingParts {
  readonly #connection: View<ConnectionView>
  readonly #reason = new ViewCell<MissingReason | null>(null)
  /** The wanted parts that could not be loaded, by their `attempt`. */
  readonly #missing = new Map<object, MissingReason>()

  constructor(connection: View<ConnectionView>) {
    this.#connection = connection
  }

  /** Why parts are missing; null if none is. */
  get reason(): View<MissingReason | null> {
    return this.#reason
  }

  /** Loads a part, until it is loaded or the returned function is called. */
  load<T>(load: () => Promise<T>, onLoaded: (part: T) => void): () => void {
    let isWanted = true
    let isTrying = false
    let delayMs = FIRST_DELAY_MS
    let timer: ReturnType<typeof setTimeout> | undefined
    const attempt = async () => {
      if (isTrying) return
      isTrying = true
      clearTimeout(timer)
      try {
        const part = await load()
        if (isWanted) onLoaded(part)
        end()
      } catch {
        const isReachable = await reachesServer()
        if (!isWanted) return
        this.#set(attempt, isReachable ? 'removed' : 'unreachable')
        timer = setTimeout(attempt, delayMs)
        delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)
      } finally {
        isTrying = false
      }
    }
    let isLive = true
    const stopWatching = this.#connection.subscribe(() => {
      const wasLive = isLive
      isLive = this.#connection.getSnapshot().state === 'live'
      if (isLive && !wasLive) void attempt()
    })
    const end = () => {
      isWanted = false
      clearTimeout(timer)
      stopWatching()
      removeEventListener('online', attempt)
      this.#set(attempt, null)
    }
    addEventListener('online', attempt)
    void attempt()
    return end
  }

  #set(part: object, reason: MissingReason | null): void {
    if (reason) this.#missing.set(part, reason)
    else this.#missing.delete(part)
    const reasons = [...this.#missing.values()]
    this.#reason.set(reasons.includes('removed') ? 'removed' : (reasons[0] ?? null))
  }
}

/** Any answer will do: also a proxy of another origin, or 404. */
function reachesServer(): Promise<boolean> {
  return fetch(import.meta.url, { method: 'HEAD', mode: 'no-cors', cache: 'no-store' }).then(
    () => true,
    () => false,
  )
}

/**
 * Removes style sheets of the page that could not be loaded: the loader that Vite adds would take them for loaded
 * when their part is loaded again. The returned function ends that.
 */
export function removeFailedStyles(): () => void {
  const assets = new URL('.', import.meta.url).href
  const onError = ({ target }: Event) => {
    if (target instanceof HTMLLinkElement && target.rel === 'stylesheet' && target.href.startsWith(assets))
      target.remove()
  }
  document.addEventListener('error', onError, true)
  return () => document.removeEventListener('error', onError, true)
}
