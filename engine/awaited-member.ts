/**
 * Awaited member: how a direct chat lists the one who has not accepted it. // PRV-2
 *
 * Both of the two are listed, so that a client can name the chat by the other one. Name and
 * picture are shown, and nothing else is known of who has not answered.
 */
import type { Member } from '../protocol/records.ts'
import type { Person } from './storage/log.ts'

/** The other one of a direct chat that was made at `createdAt`. */
export function awaitedMember({ userId, name, picture }: Person, createdAt: number): Member {
  return {
    userId,
    name,
    role: 'admin',
    joinedAt: createdAt,
    mutedUntil: undefined,
    picture: picture || undefined,
  }
}
