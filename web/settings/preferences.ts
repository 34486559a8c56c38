/**
 * Preferences: choices of the user about the page, stored on this device.
 */
import type { View } from '../../client/store/types.ts'
import type { SkinTone } from '../emoji/skin-tone.ts'
import type { Language } from '../i18n/texts.ts'

export interface Preferences {
  readonly language: Language | 'auto'
  readonly theme: 'auto' | 'light' | 'dark'
  readonly contrast: boolean
  readonly skinTone: SkinTone
  readonly sounds: boolean
  /** Whether the user wants notifications; the browser's permission is another matter. */
  readonly notifications: boolean
}

const KEY = 'tertulia.preferences'
const defaults: Preferences = {
  language: 'auto',
  theme: 'auto',
  contrast: false,
  skinTone: 'none',
  sounds: false,
  notifications: false,
}

export interface PreferencesView extends View<Preferences> {
  set(change: Partial<Preferences>): void
}

/** The stored preferences; other tabs of the page share them. */
export function openPreferences(): PreferencesView {
  const listeners = new Set<() => void>()
  let value = read()
  const notify = () => {
    for (const listener of [...listeners]) listener()
  }
  window.addEventListener('storage', ({ key }) => {
    if (key !== KEY) return
    value = read()
    notify()
  })
  return {
    getSnapshot: () => value,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    set(change) {
      value = { ...value, ...change }
      try {
        localStorage.setItem(KEY, JSON.stringify(value))
      } catch {
        // Storage is full or not allowed: the choice lasts until the page closes.
      }
      notify()
    },
  }
}

function read(): Preferences {
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>) }
  } catch {
    return defaults
  }
}
