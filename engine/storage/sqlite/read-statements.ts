/**
 * Read statements: all statements of the reader, prepared once.
 */
import type { Database } from 'better-sqlite3'
import { events } from '../../../protocol/events.ts'
import type { PostNumber, StoredReceipts } from '../../stored/stored-group.ts'
import type { Person, Status } from '../../stored/stored-user.ts'
import { awaitedIn, type GroupRow, groupColumns, type MemberRow } from './group-rows.ts'
import { type FileRow, fileColumns, type MessageRow, messageColumns } from './message-rows.ts'
import { mentionsColumn, unreadColumn } from './unread-columns.ts'

export interface OverviewRow extends GroupRow {
  readonly member_count: number
  readonly unread: number
  readonly mentions: number
  readonly read_seq: number
  readonly quiet_until: number
}

/** A group and its place in the list of a user. */
export type RankedRow = [key: number, groupId: string, activeAt: number]

export interface InvitationRow extends GroupRow {
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

export interface EventRow {
  readonly seq: number
  readonly code: number
  readonly frame: Buffer
  readonly target: number | null
}

/** A prepared statement. The library's own type has no name that declarations could use. */
export interface ReadStatement<Args extends unknown[], Row> {
  get(...args: Args): Row | undefined
  all(...args: Args): Row[]
  run(...args: Args): unknown
}

/** Limit of own posts that the search for a neighbouring post of another user passes (INP-2). */
const MAX_OWN_BESIDE = 64

/**
 * The nearest post of another user on one side of `$seq`. If more than `MAX_OWN_BESIDE` posts of the user
 * are in between, the last of these is returned instead.
 */
function neighbour(side: '<' | '>', direction: 'ASC' | 'DESC'): string {
  const beside = `SELECT b.seq, b.sender_key FROM messages b
    WHERE b.group_key = $group AND b.seq ${side} $seq ORDER BY b.seq ${direction}`
  return `ifnull(
    (SELECT seq FROM (${beside} LIMIT ${MAX_OWN_BESIDE}) WHERE sender_key <> $user LIMIT 1),
    (SELECT seq FROM (${beside} LIMIT 1 OFFSET ${MAX_OWN_BESIDE - 1})))`
}

export type ReadStatements = ReturnType<typeof prepareReads>

/** Prepares all statements, for as long as the database is open. */
export function prepareReads(db: Database) {
  const all = <Args extends unknown[], Row>(sql: string) =>
    db.prepare(sql) as unknown as ReadStatement<Args, Row>
  const raw = <Args extends unknown[], Row>(sql: string) =>
    db.prepare(sql).raw() as unknown as ReadStatement<Args, Row>
  const pluck = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).pluck() as unknown as ReadStatement<Args, number>
  const text = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).pluck() as unknown as ReadStatement<Args, string>
  // By the event of the pin: two pins may have the same time, and the clock may be set back.
  const pinOrder = `(SELECT max(e.seq) FROM events e WHERE e.group_key = m.group_key AND e.target_seq = m.seq
    AND e.code = ${events.message_pinned.code})`
  const awaited = awaitedIn('$group')
  const eventColumns = 'seq, code, frame, target_seq AS target'
  type Page = [key: number, after: number, before: number, limit: number]
  return {
    begin: all<[], unknown>('BEGIN'),
    // COMMIT would throw the error of a damaged page again.
    end: all<[], unknown>('ROLLBACK'),
    groupKey: pluck<[string]>('SELECT group_key FROM groups WHERE group_id = ?'),
    newest: pluck<[string]>('SELECT last_seq FROM groups WHERE group_id = ?'),
    ceiling: pluck<[string]>('SELECT ceiling FROM leases WHERE group_id = ?'),
    group: all<[string], GroupRow>(
      `SELECT ${groupColumns} FROM groups g JOIN users c ON c.user_key = g.created_by WHERE g.group_id = ?`,
    ),
    secret: db.prepare('SELECT value FROM secrets WHERE name = ?').pluck() as unknown as ReadStatement<
      [string],
      Buffer
    >,
    directChat: pluck<[groupId: string, userId: string, otherId: string]>(`
      SELECT g.group_key FROM groups g
      JOIN members a ON a.group_key = g.group_key JOIN users x ON x.user_key = a.user_key
      JOIN members b ON b.group_key = g.group_key JOIN users y ON y.user_key = b.user_key
      WHERE g.group_id = ? AND g.kind = 'direct' AND g.member_count = 2 AND x.user_id = ? AND y.user_id = ?`),
    members: all<[number], MemberRow>(`
      SELECT u.user_id, u.name, u.picture, m.role, m.joined_seq, m.joined_at, m.muted_until, m.quiet_until, m.approached
      FROM members m JOIN users u ON u.user_key = m.user_key
      WHERE m.group_key = ? ORDER BY m.joined_seq, m.user_key`),
    receipts: all<[number], StoredReceipts>(`
      SELECT u.user_id AS userId, m.delivered, m.read, m.read_seq AS readSeq
      FROM members m JOIN users u ON u.user_key = m.user_key
      WHERE m.group_key = ? AND (m.delivered IS NOT NULL OR m.read_seq > 0)`),
    formerReceipts: all<[group: number, limit: number], StoredReceipts>(`
      SELECT u.user_id AS userId, r.delivered, r.read, 0 AS readSeq
      FROM former_receipts r JOIN users u ON u.user_key = r.user_key
      WHERE r.group_key = ? ORDER BY r.former_key DESC LIMIT ? + 0`),
    senders: all<
      [group: number, after: number, upTo: number, user: number, limit: number],
      { readonly seq: number; readonly senderId: string }
    >(`
      SELECT p.seq, u.user_id AS senderId FROM messages p JOIN users u ON u.user_key = p.sender_key
      WHERE p.group_key = ? AND p.seq > ? AND p.seq <= ? AND p.sender_key <> ? ORDER BY p.seq DESC LIMIT ? + 0`),
    post: all<[{ group: number; user: number; seq: number }], PostNumber>(`
      SELECT p.seq, u.user_id AS senderId, ${neighbour('<', 'DESC')} AS previous, ${neighbour('>', 'ASC')} AS next
      FROM messages p JOIN users u ON u.user_key = p.sender_key
      WHERE p.group_key = $group AND p.seq = $seq AND p.sender_key <> $user`),
    tempIds: raw<[number, number], [string, string, number]>(`
      SELECT u.user_id, m.temp_id, m.seq FROM messages m JOIN users u ON u.user_key = m.sender_key
      WHERE m.group_key = ? ORDER BY m.seq DESC LIMIT ? + 0`),
    user: all<[string], UserRow>(
      'SELECT user_key, name, picture, status, last_seen_at FROM users WHERE user_id = ?',
    ),
    // The user's groups, the most recently active first, ties by id. Without a LIMIT, because SQLite
    // would create a temporary table for it each time, which is ten times slower.
    ranked: raw<[userKey: number], RankedRow>(`
      SELECT g.group_key, g.group_id, g.active_at
      FROM members me JOIN groups g ON g.group_key = me.group_key
      WHERE me.user_key = ?
      ORDER BY g.active_at DESC, g.group_id`),
    overview: all<[userKey: number, key: number], OverviewRow>(`
      SELECT ${groupColumns}, g.member_count,
        ${unreadColumn} AS unread, ${mentionsColumn} AS mentions, me.read_seq, me.quiet_until
      FROM users u
      JOIN members me ON me.user_key = u.user_key
      JOIN groups g ON g.group_key = me.group_key
      JOIN users c ON c.user_key = g.created_by
      WHERE u.user_key = ? AND me.group_key = ?`),
    messagesUp: all<Page, MessageRow>(
      `SELECT ${messageColumns} WHERE m.group_key = ? AND m.seq > ? AND m.seq < ? ORDER BY m.seq LIMIT ? + 0`,
    ),
    messagesDown: all<Page, MessageRow>(
      `SELECT ${messageColumns} WHERE m.group_key = ? AND m.seq > ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ? + 0`,
    ),
    pins: all<[number], MessageRow>(
      `SELECT ${messageColumns} WHERE m.group_key = ? AND m.pinned_at IS NOT NULL ORDER BY ${pinOrder} DESC`,
    ),
    pinned: raw<[number], [seq: number, pinSeq: number]>(
      `SELECT seq, ifnull(${pinOrder}, 0) FROM messages m WHERE group_key = ? AND pinned_at IS NOT NULL ORDER BY ${pinOrder}`,
    ),
    // A file that no message shows any more is being removed.
    userCounts: raw<[string], [groups: number, invitations: number]>(
      'SELECT group_count, invitation_count FROM users WHERE user_id = ?',
    ),
    storedBytes: pluck<[string]>('SELECT stored_bytes FROM users WHERE user_id = ?'),
    file: all<[string], FileRow & { readonly uploaded_by: string; readonly uses: number }>(`
      SELECT ${fileColumns}, u.user_id AS uploaded_by, f.uses FROM files f JOIN users u ON u.user_key = f.uploader_key
      WHERE f.file_id = ? AND f.uses >= 0`),
    banned: text<[number]>(
      'SELECT u.user_id FROM bans b JOIN users u ON u.user_key = b.user_key WHERE b.group_key = ?',
    ),
    invited: text<[number]>(
      'SELECT u.user_id FROM invitations i JOIN users u ON u.user_key = i.user_key WHERE i.group_key = ?',
    ),
    blocked: raw<[number], [userId: string, at: number]>(`
      SELECT u.user_id, b.at FROM blocks b JOIN users u ON u.user_key = b.blocked_key
      WHERE b.user_key = ? ORDER BY b.at, u.user_id`),
    isBlocked: pluck<[userKey: number]>('SELECT 1 FROM blocks WHERE blocked_key = ? LIMIT 1'),
    // Begins with the blocks: a user has few of them, while a group may have many members.
    memberBlockers: text<[groupId: string, userId: string]>(`
      SELECT b.user_id FROM users u CROSS JOIN blocks k CROSS JOIN members m CROSS JOIN users b
      WHERE m.group_key = (SELECT group_key FROM groups WHERE group_id = ?) AND u.user_id = ?
        AND k.blocked_key = u.user_key AND m.user_key = k.user_key AND b.user_key = k.user_key`),
    // The two users of a direct chat, of which one may not have accepted it.
    blockers: text<[{ group: number }]>(`
      WITH pair AS (SELECT user_key FROM members WHERE group_key = $group UNION ${awaited})
      SELECT u.user_id FROM pair JOIN pair other ON other.user_key <> pair.user_key
      JOIN blocks b ON b.user_key = pair.user_key AND b.blocked_key = other.user_key
      JOIN users u ON u.user_key = pair.user_key`),
    awaited: all<[{ group: number }], Person>(`
      SELECT u.user_id AS userId, u.name, u.picture FROM (${awaited}) JOIN users u USING (user_key) LIMIT 1`),
    approachedIn: text<[userKey: number]>(`
      SELECT g.group_id FROM members m JOIN groups g ON g.group_key = m.group_key
      WHERE m.user_key = ? AND m.approached = 1`),
    isApproached: pluck<[userKey: number]>(
      'SELECT 1 FROM members WHERE user_key = ? AND approached = 1 LIMIT 1',
    ),
    isApproachedIn: pluck<[userKey: number, groupId: string]>(`
      SELECT 1 FROM groups g JOIN members m ON m.group_key = g.group_key AND m.user_key = ?
      WHERE g.group_id = ? AND m.approached = 1`),
    sharedGroup: pluck<[userKey: number, otherKey: number]>(`
      SELECT 1 FROM members a CROSS JOIN members b CROSS JOIN groups g
      WHERE a.user_key = ? AND b.group_key = a.group_key AND b.user_key = ? AND g.group_key = a.group_key
        AND g.kind = 'group' LIMIT 1`),
    hasBlocks: pluck<[userKey: number, userKey: number]>(`
      SELECT 1 FROM blocks WHERE user_key = ? UNION ALL SELECT 1 FROM blocks WHERE blocked_key = ? LIMIT 1`),
    barred: pluck<[userKey: number, otherKey: number, otherKey: number, userKey: number]>(`
      SELECT 1 FROM blocks WHERE (user_key = ? AND blocked_key = ?) OR (user_key = ? AND blocked_key = ?)`),
    former: raw<[number], [userId: string, byChoice: 0 | 1, mutedUntil: number]>(`
      SELECT u.user_id, f.by_choice, f.muted_until FROM former_members f
      JOIN users u ON u.user_key = f.user_key WHERE f.group_key = ? ORDER BY f.left_seq`),
    invitations: all<[userId: string, groupId: string, at: number, limit: number], InvitationRow>(`
      SELECT ${groupColumns}, g.member_count, b.user_id AS invited_by, i.at
      FROM users u
      JOIN invitations i ON i.user_key = u.user_key
      JOIN groups g ON g.group_key = i.group_key
      JOIN users c ON c.user_key = g.created_by
      JOIN users b ON b.user_key = i.invited_by
      WHERE u.user_id = ? AND (i.at, ?) < (?, g.group_id) ORDER BY i.at DESC, g.group_id LIMIT ? + 0`),
    eventsUp: all<[number, number, number, number], EventRow>(`
      SELECT ${eventColumns} FROM events
      WHERE group_key = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ? + 0`),
    eventsDown: all<[number, number], EventRow>(
      `SELECT ${eventColumns} FROM events WHERE group_key = ? ORDER BY seq DESC LIMIT ? + 0`,
    ),
    gaps: all<[number, number, number, number, number], EventRow>(`
      SELECT ${eventColumns} FROM events
      WHERE group_key = ? AND seq > ? AND seq < ? AND code = ? ORDER BY seq LIMIT ? + 0`),
    count: pluck<[number, number, number, number, number, number, number]>(`
      SELECT count(*) FROM (
        SELECT 1 FROM messages WHERE group_key = ? AND seq > ? AND seq <= ?
        UNION ALL SELECT 1 FROM events WHERE group_key = ? AND seq > ? AND seq <= ?
        LIMIT ? + 0)`),
  }
}
