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
  if (method !== 'GET' || !urls.has(address)) return
  event.respondWith(
    caches
      .open(cacheName)
      .then((cache) => cache.match(mode === 'navigate' ? scope : address))
      .then((stored) => stored ?? fetch(event.request)),
  )
})

self.addEventListener('push', (event) => {
  const { title, body, tag } = readPush(event.data)
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then(async (pages) => {
      if (pages.some(({ focused }) => focused)) return
      const icon = new URL('static/icon-192.png', scope).href
      await self.registration.showNotification(title, { body, tag, icon, data: { groupId: tag } })
    }),
  )
})

function readPush(data: PushMessageData | null): { title: string; body: string; tag: string } {
  try {
    return { title: 'Tertulia', body: '', tag: '', ...(data?.json() as object) }
  } catch {
    return { title: 'Tertulia', body: '', tag: '' }
  }
}

self.addEventListener('notificationclick', (event) => {
  const { notification } = event
  notification.close()
  const { groupId = '' } = (notification.data ?? {}) as { readonly groupId?: string }
  const url = new URL(groupId === '' ? '.' : `#/g/${encodeURIComponent(groupId)}`, scope).href
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then(async ([page]) => {
      if (!page) return await self.clients.openWindow(url)
      // The page reads its address: it goes to the group without a reload.
      await (await page.focus()).navigate(url)
    }),
  )
})
