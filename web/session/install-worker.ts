/**
 * Install: registers the service worker. Where the browser has none, or does not allow it (an address
 * without TLS), the page works with a network only.
 *
 * A new version is stored beside the old one. It becomes active when the user accepts it, or when all tabs
 * are closed: the page does not reload by itself, because somebody may be writing.
 */

/** A new version of the page that waits. */
export interface Update {
  /** Makes it active, and loads the page again. */
  accept(): void
}

interface ScriptMarker {
  createScriptURL(url: string): string
}

interface TrustedTypes {
  createPolicy(name: string, rules: ScriptMarker): ScriptMarker
}

/**
 * Returns the function that registers the worker; one for the page, where several users may sign in after each other.
 * `onUpdate` is called when a new version waits.
 */
export function createInstaller(): (onUpdate: (update: Update) => void) => Promise<void> {
  // The policy of the page demands that addresses of scripts are marked where they are written, and allows one marker.
  let marker: ScriptMarker | undefined
  return async (onUpdate) => {
    if (!('serviceWorker' in navigator)) return
    try {
      const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
      marker ??= trustedTypes?.createPolicy('tertulia', { createScriptURL: (given) => given })
      const url = marker?.createScriptURL('sw.js') ?? 'sw.js'
      const registration = await navigator.serviceWorker.register(url)
      const announce = () => {
        const { waiting } = registration
        // Without a controller it is the first version, which replaces none.
        if (waiting && navigator.serviceWorker.controller) onUpdate({ accept: () => accept(waiting) })
      }
      announce()
      registration.addEventListener('updatefound', () => {
        registration.installing?.addEventListener('statechange', announce)
      })
    } catch {
      // The page says nothing: all except the start without a network works.
    }
  }
}

function accept(waiting: ServiceWorker): void {
  // Another tab has accepted it.
  if (waiting.state !== 'installed') return location.reload()
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  waiting.postMessage('activate')
}
