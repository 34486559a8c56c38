/**
 * With id: people found, and the user whose id was typed. The search finds only those who share a group with the
 * user; whoever knows an id can still write to its owner (PRV-2).
 */
import type { User } from '../../protocol/records.ts'

export function withId(found: readonly User[], id: string, nameOf: (id: string) => string): readonly User[] {
  if (id === '' || found.some(({ userId }) => userId === id)) return found
  return [...found, { userId: id, name: nameOf(id), status: 'offline' }]
}
