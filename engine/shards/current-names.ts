/**
 * Current names: replaces names in results of reads by the current names of connected users (IDN-2).
 *
 * The name of a new token is shown at once, also before the log has committed it. Afterwards storage
 * returns it too. Therefore, only connected users are looked up.
 */
import type { Group, Member, Message, User } from '../../protocol/records.ts'
import type { ReadName, ReadQuery, Reads } from '../stored/reads.ts'
import type { LoadedUser, Profile, Summaries } from '../stored/stored-user.ts'

/** The current name of a connected user; empty if it is not known. */
export type NameOf = (userId: string) => string

/** The result of a read with current names. */
export function withCurrentNames<N extends ReadName>(
  query: ReadQuery<N>,
  result: Reads[N]['result'],
  nameOf: NameOf,
): Reads[N]['result'] {
  const named = <T extends Member | User>(user: T): T => {
    const name = nameOf(user.userId)
    return name && name !== user.name ? { ...user, name } : user
  }
  const signed = (message: Message): Message => {
    const senderName = nameOf(message.senderId)
    return senderName && senderName !== message.senderName ? { ...message, senderName } : message
  }
  const group = (one: Group): Group => (one.members ? { ...one, members: one.members.map(named) } : one)
  const summaries = (found: Summaries): Summaries => ({
    ...found,
    groups: found.groups.map((one) => (one.group.members ? { ...one, group: group(one.group) } : one)),
  })
  const asked = query as ReadQuery
  switch (asked.read) {
    case 'profiles':
      return (result as readonly Profile[]).map((profile, i) => {
        const name = nameOf(asked.userIds[i] as string)
        return name ? { ...profile, name } : profile
      }) as Reads[N]['result']
    case 'users':
    case 'contacts': {
      const page = result as Reads['users' | 'contacts']['result']
      return { ...page, users: page.users.map(named) } as Reads[N]['result']
    }
    case 'listings': {
      const page = result as Reads['listings']['result']
      const groups = page.groups.map((listing) => ({
        ...listing,
        group: group(listing.group),
        lastMessage: listing.lastMessage && signed(listing.lastMessage),
      }))
      return { ...page, groups } as Reads[N]['result']
    }
    case 'summaries':
      return summaries(result as Summaries) as Reads[N]['result']
    case 'user': {
      const user = result as LoadedUser | null
      if (!user?.summaries) return result
      return { ...user, summaries: summaries(user.summaries) } as Reads[N]['result']
    }
    case 'messages': {
      const page = result as Reads['messages']['result']
      return { ...page, messages: page.messages.map(signed) } as Reads[N]['result']
    }
    default:
      return result
  }
}
