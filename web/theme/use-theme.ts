/**
 * Theme of the root element: what the user chose, else what the system prefers.
 */
import { useEffect, useState } from 'preact/hooks'
import type { View } from '../../client/store/types.ts'
import type { Preferences } from '../settings/preferences.ts'
import { useView } from '../shell.ts'

export interface ThemeAttributes {
  readonly 'data-theme': 'light' | 'dark'
  readonly 'data-contrast'?: '' | undefined
}

export function useTheme(preferences: View<Preferences>): ThemeAttributes {
  const { theme, contrast } = useView(preferences)
  const prefersDark = useMedia('(prefers-color-scheme: dark)')
  const prefersContrast = useMedia('(prefers-contrast: more)')
  const isDark = theme === 'dark' || (theme === 'auto' && prefersDark)
  return {
    'data-theme': isDark ? 'dark' : 'light',
    'data-contrast': contrast || prefersContrast ? '' : undefined,
  }
}

/** Whether a media query matches now. */
function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const update = () => setMatches(list.matches)
    list.addEventListener('change', update)
    update()
    return () => list.removeEventListener('change', update)
  }, [query])
  return matches
}
