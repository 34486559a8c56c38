/**
 * Admin context: what every component of the dashboard can use.
 */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Format } from '../i18n/format.ts'
import type { AdminApi } from './admin-api.ts'
import type { AdminTexts } from './i18n/en.ts'
import type { Units } from './units.ts'

export interface AdminShell {
  readonly api: AdminApi
  readonly texts: AdminTexts
  readonly format: Format
  readonly units: Units
  /** Changes with the theme; charts draw again. */
  readonly theme: string
}

export const AdminContext = createContext<AdminShell | null>(null)

export function useAdmin(): AdminShell {
  const shell = useContext(AdminContext)
  if (!shell) throw new Error('useAdmin is only for components of the dashboard')
  return shell
}
