/**
 * Panel: what the region of details shows of a group: members, pins, or search.
 */
import type { PanelName } from '../navigation.ts'

interface PanelProps {
  readonly name: PanelName
  /** The group on show; null searches all groups. */
  readonly groupId: string | null
}

export function Panel({ name }: PanelProps) {
  return <h2>{name}</h2>
}
