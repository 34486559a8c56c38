/**
 * User reader: the reads of one user over all groups. A method for each read.
 */
import type { Database } from 'better-sqlite3'
import type { Group, GroupListing, Invitation, Message } from '../../../protocol/records.ts'
import { fitRows, mapped } from '../../base/fit-rows.ts'
import type { ReadQuery, Reads, UserRead } from '../../stored/reads.ts'
import type { Profile } from '../../stored/stored-user.ts'
import { noStandings, type SummaryTexts, type UserTexts } from '../summary-texts.ts'
import { Contacts } from './contacts.ts'
import { directMembers } from './direct-members.ts'
import { storedGroup } from './group-rows.ts'
import { toMessage } from './message-rows.ts'
import { People } from './people.ts'
import { keysOf, nextCursor, remainingAfter } from './ranked-groups.ts'
import type { InvitationRow, OverviewRow, RankedRow, ReadStatements } from './read-statements.ts'
import { SummaryReader } from './summary-reader.ts'

type Answers = { readonly [N in UserRead]: (query: ReadQuery<N>) => unknown }

export class UserReader implements Answers {
  readonly #sql: ReadStatements
  readonly #people: People
  readonly #summaries: SummaryReader
  readonly #contacts: Contacts

  constructor(db: Database, sql: ReadStatements) {
    this.#sql = sql
    this.#people = new People(db)
    this.#summaries = new SummaryReader(db)
    this.#contacts = new Contacts(sql)
  }

  user({ userId, summaries }: ReadQuery<'user'>): UserTexts | null {
    const row = this.#sql.user.get(userId)
    if (!row) return null
    const { user_key: key, name, picture, status } = row
    return {
      name,
      picture,
      status,
      lastSeenAt: row.last_seen_at ?? undefined,
      approached: this.#sql.approachedIn.all(key),
      blocked: this.#sql.blocked.all(key),
      isBlocked: this.#sql.isBlocked.get(key) !== undefined,
      ...(summaries === undefined
        ? { standings: this.#summaries.standings(key) }
        : this.#summaries.summaries(key, summaries)),
    }
  }

  summaries({ userId, limit }: ReadQuery<'summaries'>): SummaryTexts {
    const user = this.#sql.user.get(userId)?.user_key
    return user === undefined ? noSummaries : this.#summaries.summaries(user, limit)
  }

  listings({ userId, cursor, limit }: ReadQuery<'listings'>): Reads['listings']['result'] {
    const user = this.#sql.user.get(userId)?.user_key
    if (user === undefined) return { groups: [], keys: [] }
    const ranked = this.#sql.ranked.all(user)
    const listing = ([key]: RankedRow): GroupListing => {
      const row = this.#overview(user, key)
      return { ...this.#standing(row), lastMessage: this.#newestMessage(row) }
    }
    const remaining = remainingAfter(ranked, cursor)
    const { rows: groups } = fitRows(mapped(remaining, listing), limit)
    return {
      groups,
      keys: keysOf(remaining, groups.length),
      next: nextCursor(ranked, remaining, groups.length, cursor),
    }
  }

  invitations({ userId, cursor, limit }: ReadQuery<'invitations'>): Reads['invitations']['result'] {
    const [at, groupId] = cursor ?? [Number.MAX_SAFE_INTEGER, '']
    const rows = this.#sql.invitations.all(userId, groupId, at, limit + 1)
    const invitation = (row: InvitationRow): Invitation => ({
      group: {
        ...storedGroup(row),
        memberCount: row.member_count,
        lastSeq: row.last_seq,
        members: directMembers(this.#sql, row),
      },
      by: row.invited_by,
      at: row.at,
    })
    return fitRows(mapped(rows, invitation), limit)
  }

  contacts(query: ReadQuery<'contacts'>): Reads['contacts']['result'] {
    return this.#people.contacts(query)
  }

  blocked({ userId }: ReadQuery<'blocked'>): readonly string[] {
    const key = this.#sql.user.get(userId)?.user_key
    return key === undefined ? [] : this.#sql.blocked.all(key).map(([otherId]) => otherId)
  }

  storedBytes({ userId }: ReadQuery<'storedBytes'>): number {
    return this.#sql.storedBytes.get(userId) ?? 0
  }

  profiles({ userIds }: ReadQuery<'profiles'>): readonly Profile[] {
    return this.#profiles(userIds)
  }

  #profiles(userIds: readonly string[]): readonly Profile[] {
    return userIds.map((userId) => {
      const row = this.#sql.user.get(userId)
      return { name: row?.name || userId, picture: row?.picture ?? '' }
    })
  }

  newcomers(query: ReadQuery<'newcomers'>): Reads['newcomers']['result'] {
    const { userId, userIds, directWith } = query
    const counts = userIds.map((id) => this.#sql.userCounts.get(id))
    return {
      profiles: this.#profiles(userIds),
      barred: this.#contacts.barred(userId, userIds),
      strangers: directWith !== undefined && this.#contacts.areStrangers(userId, directWith),
      groupCounts: counts.map((row) => row?.[0] ?? 0),
      invitationCounts: counts.map((row) => row?.[1] ?? 0),
    }
  }

  #newestMessage(row: OverviewRow): Message | undefined {
    const message = this.#sql.messagesDown.get(row.group_key, 0, Number.MAX_SAFE_INTEGER, 1)
    return message && toMessage(row.group_id, message)
  }

  #overview(userKey: number, key: number): OverviewRow {
    return this.#sql.overview.get(userKey, key) as OverviewRow
  }

  /** A group from the view of one of its members. */
  #standing(row: OverviewRow): Omit<GroupListing, 'lastMessage'> {
    return {
      group: this.#toGroup(row),
      unread: row.unread,
      mentions: row.mentions,
      readSeq: row.read_seq,
      mutedUntil: row.quiet_until || undefined,
    }
  }

  #toGroup(row: OverviewRow): Group {
    return {
      ...storedGroup(row),
      memberCount: row.member_count,
      lastSeq: row.last_seq,
      members: directMembers(this.#sql, row),
    }
  }

  barred({ userId, otherIds }: ReadQuery<'barred'>): readonly string[] {
    return this.#contacts.barred(userId, otherIds)
  }

  hidden({ userId, otherIds }: ReadQuery<'hidden'>): readonly string[] {
    return this.#contacts.hidden(userId, otherIds)
  }

  direct({ userId, otherId }: ReadQuery<'direct'>): string {
    return this.#contacts.direct(userId, otherId)
  }
}

const noSummaries: SummaryTexts = { rows: '[]', standings: noStandings }
