/**
 * Notifications: messages that arrive while the page is not looked at, the number of unread messages on the
 * icon of the installed app, and the sound of an arrival.
 *
 * A notification disappears when its group was read, here or on another device. Nothing is shown or played
 * for groups with notifications off, while the user is busy, or before the user switched it on in the settings.
 */
import type { GroupItem, Store } from '../../client/store/types.ts'
import type { Navigation } from '../navigation.ts'
import type { PreferencesView } from '../settings/preferences.ts'

export interface NotificationsOptions {
  readonly store: Store
  readonly navigation: Navigation
  readonly preferences: Pick<PreferencesView, 'getSnapshot'>
  /** A message in one line. */
  readonly textOf: (group: GroupItem) => string
}

/** Shows the unread messages of a store outside of the page, until the returned function is called. */
export function startNotifications(options: NotificationsOptions): () => void {
  const { store } = options
  const shown = new ShownNotifications(options)
  let before = store.groups.getSnapshot()
  showBadge(before.unread)
  const end = store.groups.subscribe(() => {
    const now = store.groups.getSnapshot()
    const known = new Map(before.groups.map((group) => [group.groupId, group]))
    for (const group of now.groups) {
      const old = known.get(group.groupId)
      if (group.unread === 0 && (old?.unread ?? 0) > 0) shown.close(group.groupId)
      // What was missed while the page was closed is in the list; only arrivals are notified.
      if (isArrival(group, old, options)) shown.show(group)
    }
    before = now
    showBadge(now.unread)
  })
  return () => {
    end()
    showBadge(0)
  }
}

function isArrival(group: GroupItem, old: GroupItem | undefined, options: NotificationsOptions): boolean {
  const { store, navigation } = options
  const last = group.lastMessage
  if (!last || last.mine || last.key === old?.lastMessage?.key) return false
  if (group.unread <= (old?.unread ?? 0) || (group.mutedUntil ?? 0) > Date.now()) return false
  if (store.connection.getSnapshot().state !== 'live' || store.me.getSnapshot().status === 'busy')
    return false
  const isLookedAt = document.hasFocus() && navigation.place.getSnapshot().groupId === group.groupId
  return !isLookedAt
}

class ShownNotifications {
  readonly #options: NotificationsOptions
  /** By group, those that are not of the service worker. */
  readonly #own = new Map<string, Notification>()

  constructor(options: NotificationsOptions) {
    this.#options = options
  }

  show(group: GroupItem): void {
    const { preferences, textOf } = this.#options
    const { notifications, sounds } = preferences.getSnapshot()
    if (sounds) playArrival()
    if (!notifications || typeof Notification === 'undefined' || Notification.permission !== 'granted') return
    const { groupId, title, lastMessage } = group
    const options = {
      body: group.kind === 'direct' ? textOf(group) : `${lastMessage?.sender.name}: ${textOf(group)}`,
      // One notification for each group: a later one replaces it, also that of another tab.
      tag: groupId,
      icon: 'icon-192.png',
      data: { groupId },
    }
    void this.#show(groupId, title, options)
  }

  close(groupId: string): void {
    this.#own.get(groupId)?.close()
    this.#own.delete(groupId)
    void registration().then(async (worker) => {
      for (const one of (await worker?.getNotifications({ tag: groupId })) ?? []) one.close()
    })
  }

  async #show(groupId: string, title: string, options: NotificationOptions): Promise<void> {
    // Phones show those of the service worker only.
    const worker = await registration()
    if (worker) return await worker.showNotification(title, options)
    const notification = new Notification(title, options)
    this.#own.set(groupId, notification)
    notification.onclick = () => {
      window.focus()
      this.#options.navigation.go({ groupId })
      notification.close()
    }
  }
}

async function registration(): Promise<ServiceWorkerRegistration | undefined> {
  const found = await navigator.serviceWorker?.getRegistration()
  return found?.active ? found : undefined
}

function showBadge(unread: number): void {
  const badge = unread > 0 ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.()
  badge?.catch(() => {})
}

/** Two short tones; no file is loaded for them. */
function playArrival(): void {
  const context = new AudioContext()
  const gain = context.createGain()
  gain.connect(context.destination)
  gain.gain.setValueAtTime(0.08, context.currentTime)
  gain.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.4)
  for (const [hertz, at] of [
    [660, 0],
    [880, 0.12],
  ] as const) {
    const tone = context.createOscillator()
    tone.frequency.value = hertz
    tone.connect(gain)
    tone.start(context.currentTime + at)
    tone.stop(context.currentTime + at + 0.25)
    tone.onended = at > 0 ? () => void context.close() : null
  }
}
