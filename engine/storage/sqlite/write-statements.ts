/**
 * Write statements: every change that the writer makes to the file, prepared once.
 */
import type { Database } from 'better-sqlite3'

/** A prepared statement. The library's own type has no name that declarations could use. */
interface WriteStatement {
  run(...values: unknown[]): { readonly lastInsertRowid: number | bigint }
}

/** A prepared look-up of one value. */
interface LookUp<Args extends unknown[], Value> {
  get(...args: Args): Value | undefined
  all(...args: Args): Value[]
}

export type WriteStatements = ReturnType<typeof prepareWrites>

/** Prepares them all, for as long as the database is open. */
export function prepareWrites(db: Database) {
  const write = (sql: string): WriteStatement => db.prepare(sql)
  const lookUp = <Args extends unknown[], Value>(sql: string) =>
    db.prepare(sql).pluck() as unknown as LookUp<Args, Value>
  return {
    groupKey: lookUp<[groupId: string], number>('SELECT group_key FROM groups WHERE group_id = ?'),
    userKey: lookUp<[userId: string], number>('SELECT user_key FROM users WHERE user_id = ?'),
    addUser: write('INSERT INTO users (user_id) VALUES (?)'),
    putUser: write(`
      INSERT INTO users (user_id, name, picture) VALUES (?, ?, ?)
      ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, picture = excluded.picture`),
    putPresence: write(`
      INSERT INTO users (user_id, status, last_seen_at) VALUES (?, ?, ?)
      ON CONFLICT (user_id) DO UPDATE SET status = excluded.status, last_seen_at = excluded.last_seen_at`),
    putGroup: write(`
      INSERT INTO groups (group_id, kind, visibility, created_by, created_at, name, topic, avatar_url,
        active_at, ceiling)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ifnull((SELECT ceiling FROM leases WHERE group_id = ?), 0))
      ON CONFLICT (group_id) DO UPDATE SET visibility = excluded.visibility, name = excluded.name,
        topic = excluded.topic, avatar_url = excluded.avatar_url`),
    putFormerMember: write(`
      INSERT INTO former_members (group_key, user_key, left_seq, by_choice, muted_until) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (group_key, user_key) DO UPDATE SET left_seq = excluded.left_seq,
        by_choice = excluded.by_choice, muted_until = excluded.muted_until`),
    dropFormerMember: write('DELETE FROM former_members WHERE group_key = ? AND user_key = ?'),
    addBlock: write('INSERT INTO blocks (user_key, blocked_key, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    dropBlock: write('DELETE FROM blocks WHERE user_key = ? AND blocked_key = ?'),
    addBan: write('INSERT INTO bans (group_key, user_key) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    dropBan: write('DELETE FROM bans WHERE group_key = ? AND user_key = ?'),
    addInvitation: write(`
      INSERT INTO invitations (group_key, user_key, invited_by, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    dropInvitation: write('DELETE FROM invitations WHERE group_key = ? AND user_key = ?'),
    addFile: write(`
      INSERT INTO files (file_id, group_key, uploader_key, name, mime_type, size, sha256, width, height,
        duration_ms, created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (file_id) DO UPDATE SET uses = max(uses, 0)`),
    useFile: write('UPDATE files SET uses = max(uses, 0) + 1 WHERE file_id = ?'),
    // After the last message that showed it, the file is not available any more.
    leaveFile: write(
      'UPDATE files SET uses = CASE WHEN uses > 1 THEN uses - 1 ELSE -1 END WHERE file_id = ?',
    ),
    fileOf: lookUp<[group: number, seq: number], string>(
      'SELECT file_id FROM messages WHERE group_key = ? AND seq = ? AND file_id IS NOT NULL',
    ),
    changeMessage: write(`
      UPDATE messages SET type = ?, content = ?, file_id = ?, mentions = ?, edited_at = ?, deleted_at = ?, deleted_by = ?,
        recalled_at = ?, reactions = ?, pinned_at = ?
      WHERE group_key = ? AND seq = ?`),
    putLease: write(`
      INSERT INTO leases (group_id, ceiling) VALUES (?, ?)
      ON CONFLICT (group_id) DO UPDATE SET ceiling = excluded.ceiling`),
    putCeiling: write('UPDATE groups SET ceiling = ? WHERE group_id = ?'),
    putMember: write(`
      INSERT INTO members (group_key, user_key, role, joined_seq, joined_at, muted_until, quiet_until,
        approached, posts_before, counted_read)
      SELECT ?, ?, ?, ?, ?, ?, ?, ?, posts, max(?, counted_seq) FROM groups WHERE group_key = ?
      ON CONFLICT (group_key, user_key) DO UPDATE SET role = excluded.role,
        muted_until = excluded.muted_until, quiet_until = excluded.quiet_until,
        approached = excluded.approached`),
    dropMember: write('DELETE FROM members WHERE group_key = ? AND user_key = ?'),
    putReceipts: write(
      'UPDATE members SET delivered = ?, read = ?, read_seq = ? WHERE group_key = ? AND user_key = ?',
    ),
    storeFormerReceipts: write(`
      INSERT INTO former_receipts (group_key, user_key, delivered, read)
      SELECT group_key, user_key, delivered, read FROM members
      WHERE group_key = ? AND user_key = ? AND delivered IS NOT NULL`),
    restoreReceipts: write(`
      UPDATE members SET delivered = former.delivered, read = former.read FROM former_receipts AS former
      WHERE former.group_key = members.group_key AND former.user_key = members.user_key
        AND members.group_key = ? AND members.user_key = ?`),
    dropFormer: write('DELETE FROM former_receipts WHERE group_key = ? AND user_key = ?'),
    // Only the newest receipts of former members are stored: deletes the others.
    dropOldest: write(`
      DELETE FROM former_receipts WHERE group_key = ? AND former_key <= (
        SELECT former_key FROM former_receipts WHERE group_key = ? ORDER BY former_key DESC LIMIT 1 OFFSET ?)`),
    addMessage: write(`
      INSERT INTO messages (group_key, seq, sender_key, type, content, created_at, temp_id, reply_seq, file_id, mentions)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    addEvent: write(
      'INSERT INTO events (group_key, seq, code, at, frame, target_seq) VALUES (?, ?, ?, ?, ?, ?)',
    ),
  }
}
