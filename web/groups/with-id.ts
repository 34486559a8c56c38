/**
 * With id: people found, and the user whose id was typed. The search finds only those who share a group with the
 * user; a user whose id is known can be written to all the same (PRV-2).
 */
import type { User } from '../../protocol/records.ts'

export function withId(found: readonly User[], id: string, nameOf: (id: string) => string): readonly User[] {
  if (id === '' || found.some(({ userId }) => userId === id)) return found
  return [...found, { userId: id, name: nameOf(id), status: 'offline' }]
}
