/**
 * Reader: answers the reads of `Reads` from the database file.
 *
 * Every read is one short snapshot, so that it never holds a checkpoint up, and sees all that was
 * committed before it began. Lengths are bounded by the caller's `limit`.
 */
import type { Database, Statement } from 'better-sqlite3'
import { decodeEvent } from '../../../protocol/codec.ts'
import { events } from '../../../protocol/events.ts'
import { limits } from '../../../protocol/limits.ts'
import type {
  Group,
  GroupListing,
  GroupSummary,
  Invitation,
  Member,
  Message,
  User,
} from '../../../protocol/records.ts'
import {
  type LoadedGroup,
  type LoggedEvent,
  type PostNumber,
  RECENT_EVENTS,
  REMEMBERED_TEMP_IDS,
  type ReadQuery,
  type Reads,
  type Role,
  type Status,
  type StoredGroup,
  type StoredRead,
  type StoredReceipts,
} from '../log.ts'
import {
  type FileRow,
  fileColumns,
  type MessageRow,
  messageColumns,
  toFile,
  toMessage,
} from './message-rows.ts'
import { People } from './people.ts'
import { unreadColumns } from './unread.ts'

interface GroupRow {
  readonly group_key: number
  readonly group_id: string
  readonly kind: StoredGroup['kind']
  readonly visibility: StoredGroup['visibility']
  readonly created_by: string
  readonly created_at: number
  readonly name: string | null
  readonly topic: string | null
  readonly avatar_url: string | null
  readonly last_seq: number
}

interface OverviewRow extends GroupRow {
  readonly member_count: number
  readonly unread: number
  readonly mentions: number
  readonly read_seq: number
  readonly quiet_until: number
  readonly active_at: number
}

interface InvitationRow extends GroupRow {
  readonly member_count: number
  readonly invited_by: string
  readonly at: number
}

interface UserRow {
  readonly user_key: number
  readonly name: string
  readonly picture: string
  readonly status: Status
  readonly last_seen_at: number | null
}

interface EventRow {
  readonly seq: number
  readonly code: number
  readonly frame: Buffer
}

export class Reader {
  readonly #db: Database
  readonly #sql: ReturnType<typeof prepare>
  readonly #people: People

  constructor(db: Database) {
    this.#db = db
    this.#sql = prepare(db)
    this.#people = new People(db)
  }

  /** Answers one query, in one snapshot. */
  run<N extends StoredRead>(query: ReadQuery<N>): Reads[N]['result'] {
    const answer = this[query.read] as unknown as (query: ReadQuery<N>) => Reads[N]['result']
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
        role: member.role,
        joinedSeq: member.joined_seq,
        joinedAt: member.joined_at,
        mutedUntil: member.muted_until,
        quietUntil: member.quiet_until,
      })),
      receipts: this.#sql.receipts.all(key),
      banned: this.#sql.banned.all(key),
      invited: this.#sql.invited.all(key),
      pins: this.#sql.pinned.all(key),
      lastSeq,
      ceiling,
      recent: this.#newestEvents(groupId, key, RECENT_EVENTS),
      tempIds: this.#sql.tempIds.all(key, REMEMBERED_TEMP_IDS).reverse(),
    }
  }

  protected user({ userId }: ReadQuery<'user'>): Reads['user']['result'] {
    const row = this.#sql.user.get(userId)
    if (!row) return null
    return {
      name: row.name,
      picture: row.picture,
      status: row.status,
      lastSeenAt: row.last_seen_at ?? undefined,
      groups: this.#sql.userGroups.all(row.user_key),
    }
  }

  protected summaries({ userId, limit }: ReadQuery<'summaries'>): Reads['summaries']['result'] {
    const rows = this.#sql.overview.all(userId, '', Number.MAX_SAFE_INTEGER, limit)
    return {
      groups: rows.map(
        (row): GroupSummary => ({
          group: this.#toGroup(row),
          lastSeq: row.last_seq,
          unread: row.unread,
          mentions: row.mentions,
          readSeq: row.read_seq,
          mutedUntil: row.quiet_until || undefined,
        }),
      ),
      others: rows.length < limit ? [] : this.#sql.others.all(userId, limit),
      large: this.#sql.large.all(userId, limits.largeGroup),
    }
  }

  protected listings({ userId, cursor, limit }: ReadQuery<'listings'>): Reads['listings']['result'] {
    const [activeAt, after] = cursor ?? [Number.MAX_SAFE_INTEGER, '']
    const rows = this.#sql.overview.all(userId, after, activeAt, limit + 1)
    const groups = rows.slice(0, limit).map(
      (row): GroupListing => ({
        group: this.#toGroup(row),
        lastMessage: this.#newestMessage(row),
        unread: row.unread,
        mentions: row.mentions,
        readSeq: row.read_seq,
        mutedUntil: row.quiet_until || undefined,
      }),
    )
    const last = rows[limit - 1]
    return { groups, next: rows.length > limit && last ? [last.active_at, last.group_id] : undefined }
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
    // The gaps of the page: those between its outer messages, or up to the end asked for.
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

  protected invitations({ userId }: ReadQuery<'invitations'>): readonly Invitation[] {
    return this.#sql.invitations.all(userId).map((row) => ({
      group: { ...storedGroup(row), memberCount: row.member_count, lastSeq: row.last_seq },
      by: row.invited_by,
      at: row.at,
    }))
  }

  protected events({ groupId, after, upTo, limit }: ReadQuery<'events'>): readonly LoggedEvent[] {
    const key = this.#sql.groupKey.get(groupId)
    if (key === undefined) return []
    const merged = merge(
      this.#sql.messagesUp.all(key, after, upTo + 1, limit).map((row) => ({
        seq: row.seq,
        message: toMessage(groupId, row),
      })),
      this.#sql.eventsUp.all(key, after, upTo, limit),
    )
    return merged.slice(0, limit)
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

  protected contacts(query: ReadQuery<'contacts'>): readonly User[] {
    return this.#people.contacts(query)
  }

  protected names({ userIds }: ReadQuery<'names'>): readonly string[] {
    return userIds.map((userId) => this.#sql.user.get(userId)?.name || userId)
  }

  #newestEvents(groupId: string, key: number, limit: number): readonly LoggedEvent[] {
    const before = Number.MAX_SAFE_INTEGER
    const messages = this.#sql.messagesDown.all(key, 0, before, limit).reverse()
    return merge(
      messages.map((row) => ({ seq: row.seq, message: toMessage(groupId, row) })),
      this.#sql.eventsDown.all(key, limit).reverse(),
    ).slice(-limit)
  }

  #newestMessage(row: OverviewRow): Message | undefined {
    const message = this.#sql.messagesDown.get(row.group_key, 0, Number.MAX_SAFE_INTEGER, 1)
    return message && toMessage(row.group_id, message)
  }

  #toGroup(row: OverviewRow): Group {
    return {
      ...storedGroup(row),
      memberCount: row.member_count,
      lastSeq: row.last_seq,
      members: row.kind === 'direct' ? this.#sql.members.all(row.group_key).map(toMember) : undefined,
    }
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

interface MemberRow {
  readonly user_id: string
  readonly name: string
  readonly role: Role
  readonly joined_seq: number
  readonly joined_at: number
  readonly muted_until: number
  readonly quiet_until: number
}

/** What is known of a group that does not exist. */
const nothing: Omit<LoadedGroup, 'ceiling'> = {
  group: null,
  members: [],
  receipts: [],
  banned: [],
  invited: [],
  pins: [],
  lastSeq: 0,
  recent: [],
  tempIds: [],
}

function toMember(row: MemberRow): Member {
  return {
    userId: row.user_id,
    name: row.name || row.user_id,
    role: row.role,
    joinedAt: row.joined_at,
    mutedUntil: row.muted_until || undefined,
  }
}

function storedGroup(row: GroupRow): StoredGroup {
  return {
    groupId: row.group_id,
    kind: row.kind,
    visibility: row.visibility,
    createdBy: row.created_by,
    createdAt: row.created_at,
    name: row.name ?? undefined,
    topic: row.topic ?? undefined,
    avatarUrl: row.avatar_url ?? undefined,
  }
}

/** Two ascending lists by seq become one. */
function merge(a: readonly LoggedEvent[], b: readonly LoggedEvent[]): LoggedEvent[] {
  const merged: LoggedEvent[] = []
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

function prepare(db: Database) {
  const all = <Args extends unknown[], Row>(sql: string) => db.prepare(sql) as unknown as Statement<Args, Row>
  const raw = <Args extends unknown[], Row>(sql: string) =>
    db.prepare(sql).raw() as unknown as Statement<Args, Row>
  const pluck = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).pluck() as unknown as Statement<Args, number>
  const text = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).pluck() as unknown as Statement<Args, string>
  const lastSeq = `max(
    ifnull((SELECT max(seq) FROM messages m WHERE m.group_key = g.group_key), 0),
    ifnull((SELECT max(seq) FROM events e WHERE e.group_key = g.group_key), 0)) AS last_seq`
  const activeAt = `ifnull(
    (SELECT created_at FROM messages m WHERE m.group_key = g.group_key ORDER BY seq DESC LIMIT 1),
    g.created_at) AS active_at`
  const group = `g.group_key, g.group_id, g.kind, g.visibility, c.user_id AS created_by, g.created_at,
    g.name, g.topic, g.avatar_url, ${lastSeq}`
  type Page = [key: number, after: number, before: number, limit: number]
  return {
    begin: db.prepare('BEGIN'),
    end: db.prepare('COMMIT'),
    groupKey: pluck<[string]>('SELECT group_key FROM groups WHERE group_id = ?'),
    ceiling: pluck<[string]>('SELECT ceiling FROM leases WHERE group_id = ?'),
    group: all<[string], GroupRow>(
      `SELECT ${group} FROM groups g JOIN users c ON c.user_key = g.created_by WHERE g.group_id = ?`,
    ),
    members: all<[number], MemberRow>(`
      SELECT u.user_id, u.name, m.role, m.joined_seq, m.joined_at, m.muted_until, m.quiet_until
      FROM members m JOIN users u ON u.user_key = m.user_key
      WHERE m.group_key = ? ORDER BY m.joined_seq, m.user_key`),
    receipts: all<[number], StoredReceipts>(`
      SELECT u.user_id AS userId, m.delivered, m.read, m.read_seq AS readSeq
      FROM members m JOIN users u ON u.user_key = m.user_key
      WHERE m.group_key = ? AND (m.delivered IS NOT NULL OR m.read_seq > 0)`),
    post: all<[{ group: number; user: number; seq: number }], PostNumber>(`
      SELECT p.seq, u.user_id AS senderId,
        (SELECT seq FROM messages b WHERE b.group_key = $group AND b.seq < $seq AND b.sender_key <> $user
          ORDER BY b.seq DESC LIMIT 1) AS previous,
        (SELECT seq FROM messages b WHERE b.group_key = $group AND b.seq > $seq AND b.sender_key <> $user
          ORDER BY b.seq LIMIT 1) AS next
      FROM messages p JOIN users u ON u.user_key = p.sender_key WHERE p.group_key = $group AND p.seq = $seq`),
    tempIds: raw<[number, number], [string, string, number]>(`
      SELECT u.user_id, m.temp_id, m.seq FROM messages m JOIN users u ON u.user_key = m.sender_key
      WHERE m.group_key = ? ORDER BY m.seq DESC LIMIT ?`),
    user: all<[string], UserRow>(
      'SELECT user_key, name, picture, status, last_seen_at FROM users WHERE user_id = ?',
    ),
    large: text<[userId: string, size: number]>(`
      SELECT g.group_id FROM users u JOIN members m ON m.user_key = u.user_key
      JOIN groups g ON g.group_key = m.group_key WHERE u.user_id = ? AND g.member_count > ?`),
    userGroups: raw<[number], [string, number]>(`
      SELECT g.group_id, m.joined_seq FROM members m JOIN groups g ON g.group_key = m.group_key
      WHERE m.user_key = ?`),
    // The user's groups, the most recently active first, ties by id: those behind (activeAt, groupId).
    overview: all<[userId: string, groupId: string, activeAt: number, limit: number], OverviewRow>(`
      SELECT ${group}, ${activeAt}, g.member_count,
        ${unreadColumns}, me.read_seq, me.quiet_until
      FROM users u
      JOIN members me ON me.user_key = u.user_key
      JOIN groups g ON g.group_key = me.group_key
      JOIN users c ON c.user_key = g.created_by
      WHERE u.user_id = ? AND (active_at, ?) < (?, g.group_id)
      ORDER BY active_at DESC, g.group_id LIMIT ?`),
    others: raw<[userId: string, offset: number], [string, number]>(`
      SELECT group_id, last_seq FROM (SELECT g.group_id, ${lastSeq}, ${activeAt}
      FROM users u JOIN members me ON me.user_key = u.user_key JOIN groups g ON g.group_key = me.group_key
      WHERE u.user_id = ? ORDER BY active_at DESC, g.group_id LIMIT -1 OFFSET ?)`),
    messagesUp: all<Page, MessageRow>(
      `SELECT ${messageColumns} WHERE m.group_key = ? AND m.seq > ? AND m.seq < ? ORDER BY m.seq LIMIT ?`,
    ),
    messagesDown: all<Page, MessageRow>(
      `SELECT ${messageColumns} WHERE m.group_key = ? AND m.seq > ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?`,
    ),
    pins: all<[number], MessageRow>(
      `SELECT ${messageColumns} WHERE m.group_key = ? AND m.pinned_at IS NOT NULL ORDER BY m.pinned_at DESC, m.seq DESC`,
    ),
    pinned: pluck<[number]>(
      'SELECT seq FROM messages WHERE group_key = ? AND pinned_at IS NOT NULL ORDER BY pinned_at, seq',
    ),
    // A file that no message shows any more is on its way out.
    file: all<[string], FileRow & { readonly uploaded_by: string; readonly uses: number }>(`
      SELECT ${fileColumns}, u.user_id AS uploaded_by, f.uses FROM files f JOIN users u ON u.user_key = f.uploader_key
      WHERE f.file_id = ? AND f.uses >= 0`),
    banned: text<[number]>(
      'SELECT u.user_id FROM bans b JOIN users u ON u.user_key = b.user_key WHERE b.group_key = ?',
    ),
    invited: text<[number]>(
      'SELECT u.user_id FROM invitations i JOIN users u ON u.user_key = i.user_key WHERE i.group_key = ?',
    ),
    invitations: all<[string], InvitationRow>(`
      SELECT ${group}, g.member_count, b.user_id AS invited_by, i.at
      FROM users u
      JOIN invitations i ON i.user_key = u.user_key
      JOIN groups g ON g.group_key = i.group_key
      JOIN users c ON c.user_key = g.created_by
      JOIN users b ON b.user_key = i.invited_by
      WHERE u.user_id = ? ORDER BY i.at DESC, g.group_id LIMIT ${limits.invitations}`),
    eventsUp: all<[number, number, number, number], EventRow>(`
      SELECT seq, code, frame FROM events WHERE group_key = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`),
    eventsDown: all<[number, number], EventRow>(
      'SELECT seq, code, frame FROM events WHERE group_key = ? ORDER BY seq DESC LIMIT ?',
    ),
    gaps: all<[number, number, number, number, number], EventRow>(`
      SELECT seq, code, frame FROM events
      WHERE group_key = ? AND seq > ? AND seq < ? AND code = ? ORDER BY seq LIMIT ?`),
    count: pluck<[number, number, number, number, number, number, number]>(`
      SELECT count(*) FROM (
        SELECT 1 FROM messages WHERE group_key = ? AND seq > ? AND seq <= ?
        UNION ALL SELECT 1 FROM events WHERE group_key = ? AND seq > ? AND seq <= ?
        LIMIT ?)`),
  }
}
