/**
 * Reader: answers the reads of `Reads` from the database file.
 *
 * Every read is one short snapshot, so that it never delays a checkpoint and sees everything that was
 * committed before it began. The caller's `limit` bounds the length of results.
 */
import type { Database } from 'better-sqlite3'
import { decodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import type { Group, GroupListing, Invitation, Member, Message } from '../../../protocol/records.ts'
import { fitRows, mapped } from '../../base/fit-rows.ts'
import { awaitedMember } from '../../stored/awaited-member.ts'
import { isSearch, type ReadName, type ReadQuery, type Reads, type StoredRead } from '../../stored/reads.ts'
import {
  hasGroupTexts,
  hasUserNames,
  withContent,
  withGroupTexts,
  withUserNames,
} from '../../stored/stored-frame.ts'
import {
  type LoadedGroup,
  type LoggedEvent,
  type PostNumber,
  RECENT_EVENTS,
  REMEMBERED_TEMP_IDS,
} from '../../stored/stored-group.ts'
import type { Person, Profile } from '../../stored/stored-user.ts'
import { parseAnswer, type SummaryTexts, type UserTexts } from '../summary-texts.ts'
import { directId, unkeyedDirectId } from './direct-id.ts'
import { type GroupRow, storedGroup, toMember } from './group-rows.ts'
import { type MessageRow, toFile, toMessage } from './message-rows.ts'
import { People } from './people.ts'
import { nextCursor, remainingAfter } from './ranked-groups.ts'
import {
  type EventRow,
  type InvitationRow,
  type OverviewRow,
  prepareReads,
  type RankedRow,
} from './read-statements.ts'
import { SummaryReader } from './summary-reader.ts'

export class Reader {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepareReads>
  readonly #people: People
  readonly #summaries: SummaryReader

  constructor(db: Database) {
    this.#db = db
    this.#sql = prepareReads(db)
    this.#people = new People(db)
    this.#summaries = new SummaryReader(db)
  }

  /** Answers one query in one snapshot. @throws Error for queries that search answers */
  run<N extends ReadName>(query: ReadQuery<N>): Reads[N]['result'] {
    return parseAnswer(query, this.answer(query as unknown as ReadQuery))
  }

  /** The same in the form that is sent between threads; `parseAnswer` converts it to the result. */
  answer(query: ReadQuery): unknown {
    if (isSearch(query)) throw new Error(`"${query.read}" is for search`)
    const answer = this[query.read as StoredRead] as unknown as (query: ReadQuery) => unknown
    return this.#snapshot(() => answer.call(this, query))
  }

  close(): void {
    this.#db.close()
  }

  protected group({ groupId }: ReadQuery<'group'>): LoadedGroup {
    const row = this.#sql.group.get(groupId)
    const ceiling = this.#sql.ceiling.get(groupId) ?? 0
    if (!row) return { ...nothing, ceiling }
    const key = row.group_key
    const lastSeq = row.last_seq
    return {
      group: storedGroup(row),
      members: this.#sql.members.all(key).map((member) => ({
        userId: member.user_id,
        name: member.name || member.user_id,
        picture: member.picture,
        role: member.role,
        joinedSeq: member.joined_seq,
        joinedAt: member.joined_at,
        mutedUntil: member.muted_until,
        quietUntil: member.quiet_until,
        approached: member.approached === 1 || undefined,
      })),
      receipts: [
        ...this.#sql.formerReceipts.all(key, limits.membersPerGroup).reverse(),
        ...this.#sql.receipts.all(key),
      ],
      banned: this.#sql.banned.all(key),
      invited: this.#sql.invited.all(key),
      former: this.#sql.former.all(key),
      awaited: row.kind === 'direct' ? this.#awaited(key) : null,
      blockers: row.kind === 'direct' ? this.#sql.blockers.all({ group: key }) : [],
      pins: this.#sql.pinned.all(key),
      lastSeq,
      ceiling,
      recent: this.#newestEvents(row, RECENT_EVENTS),
      tempIds: this.#sql.tempIds.all(key, REMEMBERED_TEMP_IDS).reverse(),
    }
  }

  protected user({ userId, summaries }: ReadQuery<'user'>): UserTexts | null {
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

  protected summaries({ userId, limit }: ReadQuery<'summaries'>): SummaryTexts {
    const user = this.#sql.user.get(userId)?.user_key
    return user === undefined ? noSummaries : this.#summaries.summaries(user, limit)
  }

  protected listings({ userId, cursor, limit }: ReadQuery<'listings'>): Reads['listings']['result'] {
    const user = this.#sql.user.get(userId)?.user_key
    if (user === undefined) return { groups: [] }
    const ranked = this.#sql.ranked.all(user)
    const listing = ([key]: RankedRow): GroupListing => {
      const row = this.#overview(user, key)
      return { ...this.#standing(row), lastMessage: this.#newestMessage(row) }
    }
    const remaining = remainingAfter(ranked, cursor)
    const { rows: groups } = fitRows(mapped(remaining, listing), limit)
    return { groups, next: nextCursor(ranked, remaining, groups.length, cursor) }
  }

  protected messages({
    groupId,
    after,
    before,
    limit,
    newest,
  }: ReadQuery<'messages'>): Reads['messages']['result'] {
    const key = this.#sql.groupKey.get(groupId)
    if (key === undefined) return { messages: [], gaps: [] }
    const rows = newest
      ? this.#sql.messagesDown.all(key, after, before, limit).reverse()
      : this.#sql.messagesUp.all(key, after, before, limit)
    // The gaps of the page: those between its outer messages, or up to the requested end.
    const full = rows.length === limit
    const from = newest && full ? (rows[0] as MessageRow).seq : after
    const to = !newest && full ? (rows[rows.length - 1] as MessageRow).seq : before
    return {
      messages: rows.map((row) => toMessage(groupId, row)),
      gaps: this.#sql.gaps.all(key, from, to, events.gap.code, limit).map((row) => {
        const gap = decodeEvent(row.frame)
        if (gap?.event !== 'gap') throw new Error(`event ${row.seq} of ${groupId} is not a gap`)
        return { seq: gap.fields.seq, from: gap.fields.from, to: gap.fields.to }
      }),
    }
  }

  protected message({ groupId, seq }: ReadQuery<'message'>): Message | null {
    const key = this.#sql.groupKey.get(groupId)
    const row = key === undefined ? undefined : this.#sql.messagesUp.get(key, seq - 1, seq + 1, 1)
    return row ? toMessage(groupId, row) : null
  }

  protected pins({ groupId }: ReadQuery<'pins'>): readonly Message[] {
    const key = this.#sql.groupKey.get(groupId)
    return key === undefined ? [] : this.#sql.pins.all(key).map((row) => toMessage(groupId, row))
  }

  protected file({ fileId }: ReadQuery<'file'>): Reads['file']['result'] {
    const row = this.#sql.file.get(fileId)
    const file = row && toFile(row)
    return file ? { file, uploadedBy: row.uploaded_by, shown: row.uses > 0 } : null
  }

  protected invitations({ userId, cursor, limit }: ReadQuery<'invitations'>): Reads['invitations']['result'] {
    const [at, groupId] = cursor ?? [Number.MAX_SAFE_INTEGER, '']
    const rows = this.#sql.invitations.all(userId, groupId, at, limit + 1)
    const invitation = (row: InvitationRow): Invitation => ({
      group: {
        ...storedGroup(row),
        memberCount: row.member_count,
        lastSeq: row.last_seq,
        members: this.#directMembers(row),
      },
      by: row.invited_by,
      at: row.at,
    })
    return fitRows(mapped(rows, invitation), limit)
  }

  protected events({ groupId, after, upTo, limit }: ReadQuery<'events'>): readonly LoggedEvent[] {
    const group = this.#sql.group.get(groupId)
    if (group === undefined) return []
    const key = group.group_key
    const merged = merge(
      this.#sql.messagesUp.all(key, after, upTo + 1, limit).map((row) => ({
        seq: row.seq,
        message: toMessage(groupId, row),
      })),
      this.#sql.eventsUp.all(key, after, upTo, limit),
    )
    return merged.slice(0, limit).map((event) => this.#withTexts(group, event))
  }

  protected count({ groupId, after, upTo, cap }: ReadQuery<'count'>): number {
    const key = this.#sql.groupKey.get(groupId)
    return key === undefined ? 0 : (this.#sql.count.get(key, after, upTo, key, after, upTo, cap) ?? 0)
  }

  protected posts({ groupId, userId, seqs }: ReadQuery<'posts'>): readonly PostNumber[] {
    const group = this.#sql.groupKey.get(groupId)
    const user = this.#sql.user.get(userId)?.user_key ?? 0
    if (group === undefined) return []
    return seqs.flatMap((seq) => this.#sql.post.get({ group, user, seq }) ?? [])
  }

  protected senders({
    groupId,
    userId,
    after,
    upTo,
    limit,
  }: ReadQuery<'senders'>): Reads['senders']['result'] {
    const group = this.#sql.groupKey.get(groupId)
    const user = this.#sql.user.get(userId)?.user_key ?? 0
    return group === undefined ? [] : this.#sql.senders.all(group, after, upTo, user, limit).reverse()
  }

  protected contacts(query: ReadQuery<'contacts'>): Reads['contacts']['result'] {
    return this.#people.contacts(query)
  }

  protected barred({ userId, otherIds }: ReadQuery<'barred'>): readonly string[] {
    return this.#barred(userId, otherIds)
  }

  protected blocked({ userId }: ReadQuery<'blocked'>): readonly string[] {
    const key = this.#sql.user.get(userId)?.user_key
    return key === undefined ? [] : this.#sql.blocked.all(key).map(([otherId]) => otherId)
  }

  protected blockers({ userId, groupId }: ReadQuery<'blockers'>): readonly string[] {
    return this.#sql.memberBlockers.all(groupId, userId)
  }

  protected hidden({ userId, otherIds }: ReadQuery<'hidden'>): readonly string[] {
    const barred = new Set(this.#barred(userId, otherIds))
    return otherIds.filter((otherId) => barred.has(otherId) || this.#hasNotAccepted(userId, otherId))
  }

  /** Whether the only group that the two share is a direct chat that the other has not accepted. PRV-2 */
  #hasNotAccepted(userId: string, otherId: string): boolean {
    const other = this.#sql.user.get(otherId)?.user_key
    if (other === undefined || this.#sql.isApproached.get(other) === undefined) return false
    const groupId = this.#direct(userId, otherId)
    return this.#sql.isApproachedIn.get(other, groupId) !== undefined && this.#areStrangers(userId, otherId)
  }

  /** Whether the two share no group except direct chats. Reads the groups of the one who is in fewer. */
  #areStrangers(userId: string, otherId: string): boolean {
    const key = this.#sql.user.get(userId)?.user_key
    const other = this.#sql.user.get(otherId)?.user_key
    if (key === undefined || other === undefined) return true
    const [few, many] = this.#groupCount(userId) <= this.#groupCount(otherId) ? [key, other] : [other, key]
    return this.#sql.sharedGroup.get(few, many) === undefined
  }

  #groupCount(userId: string): number {
    return this.#sql.userCounts.get(userId)?.[0] ?? 0
  }

  #barred(userId: string, otherIds: readonly string[]): readonly string[] {
    const key = this.#sql.user.get(userId)?.user_key
    if (key === undefined || this.#sql.hasBlocks.get(key, key) === undefined) return []
    return otherIds.filter((otherId) => {
      const other = this.#sql.user.get(otherId)?.user_key
      return other !== undefined && this.#sql.barred.get(key, other, other, key) !== undefined
    })
  }

  /** A chat with an unkeyed id counts only if it is really that chat: others could have used the id. IDN-4 */
  #direct(userId: string, otherId: string): string {
    const unkeyed = unkeyedDirectId(userId, otherId)
    if (this.#sql.directChat.get(unkeyed, userId, otherId) !== undefined) return unkeyed
    const key = this.#sql.secret.get('direct_id')
    if (!key) throw new Error('the database has no key for the ids of direct chats')
    return directId(key, userId, otherId)
  }

  protected direct({ userId, otherId }: ReadQuery<'direct'>): string {
    return this.#direct(userId, otherId)
  }

  protected storedBytes({ userId }: ReadQuery<'storedBytes'>): number {
    return this.#sql.storedBytes.get(userId) ?? 0
  }

  protected profiles({ userIds }: ReadQuery<'profiles'>): readonly Profile[] {
    return this.#profiles(userIds)
  }

  #profiles(userIds: readonly string[]): readonly Profile[] {
    return userIds.map((userId) => {
      const row = this.#sql.user.get(userId)
      return { name: row?.name || userId, picture: row?.picture ?? '' }
    })
  }

  protected newcomers(query: ReadQuery<'newcomers'>): Reads['newcomers']['result'] {
    const { userId, userIds, directWith } = query
    const counts = userIds.map((id) => this.#sql.userCounts.get(id))
    return {
      profiles: this.#profiles(userIds),
      barred: this.#barred(userId, userIds),
      strangers: directWith !== undefined && this.#areStrangers(userId, directWith),
      groupCounts: counts.map((row) => row?.[0] ?? 0),
      invitationCounts: counts.map((row) => row?.[1] ?? 0),
    }
  }

  #newestEvents(group: GroupRow, limit: number): readonly LoggedEvent[] {
    const { group_id: groupId, group_key: key } = group
    const before = Number.MAX_SAFE_INTEGER
    const messages = this.#sql.messagesDown.all(key, 0, before, limit).reverse()
    return merge(
      messages.map((row) => ({ seq: row.seq, message: toMessage(groupId, row) })),
      this.#sql.eventsDown.all(key, limit).reverse(),
    )
      .slice(-limit)
      .map((event) => this.#withTexts(group, event))
  }

  /** The event, with the texts that are not stored in its frame. // PRV-3 */
  #withTexts(group: GroupRow, event: LoggedEvent | EventRow): LoggedEvent {
    if ('message' in event) return event
    const { seq, code, frame } = event
    const target = event.target ?? undefined
    if (code === events.message_edited.code && target !== undefined) {
      const post = this.#sql.messagesUp.get(group.group_key, target - 1, target + 1, 1)
      const message = post && toMessage(group.group_id, post)
      return { seq, code, frame: withContent(frame, message), target }
    }
    const texts = hasGroupTexts(code) ? withGroupTexts(frame, storedGroup(group)) : frame
    if (!hasUserNames(code)) return { seq, code, frame: texts, target }
    const nameOf = (userId: string) => this.#sql.user.get(userId)?.name || undefined
    return { seq, code, frame: withUserNames(texts, nameOf), target }
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
      members: this.#directMembers(row),
    }
  }

  /** The two users of a direct chat, also if one of them has not accepted it. PRV-2 */
  #directMembers({ kind, group_key: key, created_at }: GroupRow): readonly Member[] | undefined {
    if (kind !== 'direct') return undefined
    const members = this.#sql.members.all(key).map(toMember)
    const awaited = members.length === 1 ? this.#awaited(key) : null
    return awaited ? [...members, awaitedMember(awaited, created_at)] : members
  }

  #awaited(group: number): Person | null {
    const row = this.#sql.awaited.get({ group })
    return row ? { ...row, name: row.name || row.userId } : null
  }

  /** All statements of `read` see the same state of the file. */
  #snapshot<T>(read: () => T): T {
    this.#sql.begin.run()
    try {
      return read()
    } finally {
      this.#sql.end.run()
    }
  }
}

const noSummaries: SummaryTexts = { rows: '[]', standings: '[[],[],[],[],[]]' }

/** The state of a group that does not exist. */
const nothing: Omit<LoadedGroup, 'ceiling'> = {
  group: null,
  members: [],
  receipts: [],
  banned: [],
  invited: [],
  awaited: null,
  former: [],
  blockers: [],
  pins: [],
  lastSeq: 0,
  recent: [],
  tempIds: [],
}

/** Merges two ascending lists by seq. */
function merge(a: readonly LoggedEvent[], b: readonly EventRow[]): (LoggedEvent | EventRow)[] {
  const merged: (LoggedEvent | EventRow)[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const left = a[i]
    const right = b[j]
    if (left && (!right || left.seq < right.seq)) {
      merged.push(left)
      i += 1
    } else if (right) {
      merged.push(right)
      j += 1
    }
  }
  return merged
}
