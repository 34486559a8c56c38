/**
 * Service worker: serves the files of the page without a network.
 *
 * The build puts in the list of files and a hash of their contents. A new version is stored completely
 * before it replaces the old one, so that a page never mixes two. Requests of the chat itself, other
 * pages and other origins go to the network.
 *
 * It shows messages that a service sends by Web Push, as `{"title", "body", "tag"}` where the tag is the
 * group, unless a page is looked at. A click on a notification opens its group.
 */
declare const self: ServiceWorkerGlobalScope

const { version, paths } = JSON.parse('%SHELL_FILES%') as { version: string; paths: readonly string[] }
const scope = self.registration.scope
const urls = new Set(paths.map((path) => new URL(path, scope).href))
const cacheName = `tertulia-${version}`

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches.open(cacheName).then((cache) =>
      // Not from the browser's cache: it may have the files of the old version.
      cache.addAll([...urls].map((url) => new Request(url, { cache: 'reload' }))),
    ),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(removeOldVersions().then(() => self.clients.claim()))
})

async function removeOldVersions(): Promise<void> {
  const names = await caches.keys()
  const old = names.filter((name) => name.startsWith('tertulia-') && name !== cacheName)
  await Promise.all(old.map((name) => caches.delete(name)))
}

self.addEventListener('message', ({ data }) => {
  if (data === 'activate') void self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const { method, url, mode } = event.request
  const address = url.replace(/[?#].*$/, '')
  if (method !== 'GET') return
  if (urls.has(address)) event.respondWith(fromCache(event.request, mode === 'navigate' ? scope : address))
  else if (address.startsWith(`${scope}assets/`)) event.respondWith(storedWhenUsed(event.request))
})

async function fromCache(request: Request, address: string): Promise<Response> {
  const cache = await caches.open(cacheName)
  return (await cache.match(address)) ?? (await fetch(request))
}

/** Large parts, such as the names of emoji: their addresses change with their contents. */
async function storedWhenUsed(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName)
  const stored = await cache.match(request)
  if (stored) return stored
  const answer = await fetch(request)
  // Where there is no room it is used, and loaded again the next time.
  if (answer.ok) await cache.put(request, answer.clone()).catch(() => {})
  return answer
}

self.addEventListener('push', (event) => {
  const { title, body, tag } = readPush(event.data)
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then(async (pages) => {
      if (pages.some(({ focused }) => focused)) return
      const icon = new URL('icon-192.png', scope).href
      await self.registration.showNotification(title, { body, tag, icon, data: { groupId: tag } })
    }),
  )
})

/** Fields that are missing or not texts are empty: a browser requires that something is shown. */
function readPush(data: PushMessageData | null): { title: string; body: string; tag: string } {
  let given: Readonly<Record<string, unknown>> | null = null
  try {
    given = data?.json()
  } catch {
    // Not JSON.
  }
  const textOf = (name: string) => (typeof given?.[name] === 'string' ? given[name] : '')
  return { title: textOf('title') || 'Tertulia', body: textOf('body'), tag: textOf('tag') }
}

self.addEventListener('notificationclick', (event) => {
  const { notification } = event
  notification.close()
  const { groupId = '' } = (notification.data ?? {}) as { readonly groupId?: string }
  const url = new URL(groupId === '' ? '.' : `#/g/${encodeURIComponent(groupId)}`, scope).href
  event.waitUntil(show(url))
})

/** Goes to an address in an open chat page, which reads its fragment and is not loaded again, or in a new one. */
async function show(url: string): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window' })
  // The other pages of the server are in the scope too.
  const page = pages.find((one) => one.url.replace(/[?#].*$/, '') === scope)
  if (!page) {
    await self.clients.openWindow(url)
    return
  }
  await page.focus()
  await page.navigate(url)
}
