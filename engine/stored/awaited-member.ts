/**
 * Awaited member: how a direct chat lists the user who has not accepted it yet. // PRV-2
 *
 * Both users are listed, so that a client can name the chat by the other one. Only the name and the
 * picture of a user who has not answered are shown.
 */
import type { Member } from '../../protocol/records.ts'
import type { Person } from './stored-user.ts'

/** The other user of a direct chat that was created at `createdAt`. */
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
