/**
 * Navigation: which group, message and panel are on show, as a view.
 *
 * The page stores the place in the fragment of the address (`#/g/<groupId>?seq=7&panel=members`), so that
 * Back, bookmarks and links of notifications work. Mounted in another page it is in memory: the address
 * belongs to that page.
 */
import type { View } from '../client/store/types.ts'

export type PanelName = 'members' | 'pins' | 'search'

export interface Place {
  /** The group on show; null shows none. */
  readonly groupId: string | null
  /** The message to scroll to. */
  readonly seq: number | null
  /** What the region of details shows; null hides it. */
  readonly panel: PanelName | null
}

export interface Navigation {
  readonly place: View<Place>
  /** Goes to a place; fields that are not given stay, except that another group resets `seq` and `panel`. */
  go(to: Partial<Place>): void
}

const panels: readonly string[] = ['members', 'pins', 'search'] satisfies PanelName[]
/** The state of a step of the history that a panel made. */
const PANEL_STEP = 'panel'
const home: Place = { groupId: null, seq: null, panel: null }

/** Navigation by the fragment of the address of `window`. */
export function addressNavigation(): Navigation {
  const navigation = memoryNavigation(placeOf(location.hash))
  addEventListener('hashchange', () => navigation.go({ ...home, ...placeOf(location.hash) }))
  return {
    place: navigation.place,
    go(to) {
      const before = navigation.place.getSnapshot()
      navigation.go(to)
      const now = navigation.place.getSnapshot()
      const hash = hashOf(now)
      if (hash === location.hash) return
      // A group is a step of the history. A panel is one on a phone only, where it covers the group.
      if (before.groupId !== now.groupId) history.pushState(null, '', hash)
      else if (before.panel !== null && now.panel === null && history.state === PANEL_STEP) history.back()
      else if (before.panel === null && now.panel !== null && isPhone())
        history.pushState(PANEL_STEP, '', hash)
      else history.replaceState(history.state, '', hash)
    },
  }
}

function isPhone(): boolean {
  return matchMedia('(max-width: 44rem)').matches
}

/** Navigation without an address. */
export function memoryNavigation(start: Place = home): Navigation {
  const listeners = new Set<() => void>()
  let place = start
  return {
    place: {
      getSnapshot: () => place,
      subscribe(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    go(to) {
      const isSameGroup = to.groupId === undefined || to.groupId === place.groupId
      const next = { ...(isSameGroup ? place : home), ...to }
      if (next.groupId === place.groupId && next.seq === place.seq && next.panel === place.panel) return
      place = next
      for (const listener of [...listeners]) listener()
    },
  }
}

/** The fragment for a place. */
export function hashOf({ groupId, seq, panel }: Place): string {
  const query = new URLSearchParams()
  if (seq !== null) query.set('seq', String(seq))
  if (panel !== null) query.set('panel', panel)
  const more = query.size > 0 ? `?${query}` : ''
  return groupId === null ? `#/${more}` : `#/g/${encodeURIComponent(groupId)}${more}`
}

/** The place of a fragment; what it does not state is null. */
export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.slice(1).split('?')
  const given = new URLSearchParams(query)
  const seq = Number(given.get('seq'))
  const panel = given.get('panel') ?? ''
  return {
    groupId: groupOf(/^\/g\/([^/]+)$/.exec(path)?.[1]),
    seq: Number.isSafeInteger(seq) && seq > 0 ? seq : null,
    panel: panels.includes(panel) ? (panel as PanelName) : null,
  }
}

function groupOf(part: string | undefined): string | null {
  try {
    return part === undefined ? null : decodeURIComponent(part)
  } catch {
    return null
  }
}
