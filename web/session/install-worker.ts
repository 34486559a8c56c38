/**
 * Install: registers the service worker. Where the browser has none, or does not allow it (an address
 * without TLS), the page works with a network only.
 *
 * A new version becomes active when all tabs of the old one are closed. The page does not reload by
 * itself: somebody may be writing.
 */
export async function installWorker(): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  try {
    await navigator.serviceWorker.register(scriptUrl('sw.js'))
  } catch {
    // The page says nothing: all except the start without a network works.
  }
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { readonly createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string }
}

/** The policy of the page demands that addresses of scripts are marked where they are written. */
function scriptUrl(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  if (!trustedTypes) return url
  return trustedTypes.createPolicy('tertulia', { createScriptURL: (given) => given }).createScriptURL(url)
}
