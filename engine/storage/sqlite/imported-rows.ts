/**
 * Imported rows: what an import has stored, by the ids of the other system.
 *
 * They are written in the transaction of what they describe: after a crash, the import begins at the first
 * line again, finds what is stored, and continues behind it.
 */
import type { Database, Statement } from 'better-sqlite3'
import type { Role, StoredGroup, StoredReceipts } from '../../stored/stored-group.ts'

/** A group as an import continues it. */
export interface GroupPosition {
  readonly key: number
  readonly groupId: string
  readonly kind: StoredGroup['kind']
  readonly createdAt: number
  readonly memberCount: number
  /** The newest number in the log, and the time of the newest post. */
  readonly lastSeq: number
  readonly activeAt: number
}

/** A group whose members have no read marks for the imported messages yet. */
export interface UnmarkedGroup {
  readonly key: number
  readonly groupId: string
  readonly lastSeq: number
  /** The newest post before the import; 0 if there was none. */
  readonly lastPostBefore: number
  /** The newest number before the import. */
  readonly since: number
}

export interface MarkedMember extends StoredReceipts {
  readonly joinedSeq: number
}

/** Used by the one writer, inside its transactions. */
export class ImportedRows {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  /** The group that has this id in the file, or of a group that was not imported, in the log. */
  group(oldId: string): GroupPosition | undefined {
    return this.#sql.imported.get(oldId) ?? this.byId(oldId)
  }

  byId(groupId: string): GroupPosition | undefined {
    return this.#sql.byId.get(groupId)
  }

  /** Numbers up to here may have been assigned to the group. */
  ceiling(groupId: string): number {
    return this.#sql.ceiling.get(groupId) ?? 0
  }

  /** The group has this id in the file. Something is imported into it after the number `since`, or nothing yet. */
  touch(oldId: string, group: number, since: number | null): void {
    this.#sql.touch.run(oldId, group, since)
  }

  /** Returns false if the message is stored already. */
  addMessage(group: number, oldId: string, seq: number): boolean {
    return this.#sql.addMessage.run(group, oldId, seq).changes > 0
  }

  /** The number of an imported message. */
  seqOf(group: number, oldId: string): number | undefined {
    return this.#sql.seqOf.get(group, oldId)
  }

  senderOf(group: number, seq: number): string | undefined {
    return this.#sql.senderOf.get(group, seq)
  }

  /** Whether the user is a member, has left, or is banned. */
  isKnown(group: number, userId: string): boolean {
    return this.#sql.isKnown.get({ group, userId }) !== undefined
  }

  /** The creator of a group is its admin. */
  defaultRole(group: number, userId: string): Role {
    return this.#sql.isCreator.get(group, userId) === undefined ? 'member' : 'admin'
  }

  /** The number of pinned messages. */
  pins(group: number): number {
    return this.#sql.pins.get(group) ?? 0
  }

  hasName(userId: string): boolean {
    return this.#sql.hasName.get(userId) !== undefined
  }

  member(group: number, userId: string): MarkedMember | undefined {
    return this.#sql.member.get(group, userId)
  }

  members(group: number): readonly MarkedMember[] {
    return this.#sql.members.all(group)
  }

  unmarked(): UnmarkedGroup | undefined {
    return this.#sql.unmarked.get()
  }

  marked(group: number): void {
    this.#sql.marked.run(group)
  }

  /** The number of groups whose members include no admin. */
  withoutAdmin(): number {
    return this.#sql.withoutAdmin.get() ?? 0
  }
}

function prepare(db: Database) {
  const all = <Args extends unknown[], Row>(sql: string) => db.prepare(sql) as unknown as Statement<Args, Row>
  const pluck = <Args extends unknown[]>(sql: string) =>
    db.prepare(sql).pluck() as unknown as Statement<Args, number>
  const position = `g.group_key AS "key", g.group_id AS groupId, g.kind, g.created_at AS createdAt,
    g.member_count AS memberCount, g.last_seq AS lastSeq, g.active_at AS activeAt`
  const member = `SELECT u.user_id AS userId, m.delivered, m.read, m.read_seq AS readSeq, m.joined_seq AS joinedSeq
    FROM members m JOIN users u ON u.user_key = m.user_key WHERE m.group_key = ?`
  const ofUser = (table: string) =>
    `SELECT 1 FROM ${table} r JOIN users u ON u.user_key = r.user_key WHERE r.group_key = $group AND u.user_id = $userId`
  return {
    imported: all<[string], GroupPosition>(
      `SELECT ${position} FROM imported_groups i JOIN groups g ON g.group_key = i.group_key WHERE i.old_id = ?`,
    ),
    byId: all<[string], GroupPosition>(`SELECT ${position} FROM groups g WHERE g.group_id = ?`),
    ceiling: pluck<[string]>('SELECT ceiling FROM leases WHERE group_id = ?'),
    touch: db.prepare(`
      INSERT INTO imported_groups (old_id, group_key, since) VALUES (?, ?, ?)
      ON CONFLICT (old_id) DO UPDATE SET since = ifnull(since, excluded.since)`),
    addMessage: db.prepare(
      'INSERT INTO imported_messages (group_key, old_id, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    seqOf: pluck<[number, string]>('SELECT seq FROM imported_messages WHERE group_key = ? AND old_id = ?'),
    senderOf: db
      .prepare(`
        SELECT u.user_id FROM messages m JOIN users u ON u.user_key = m.sender_key
        WHERE m.group_key = ? AND m.seq = ?`)
      .pluck() as unknown as Statement<[number, number], string>,
    isKnown: pluck<[{ group: number; userId: string }]>(
      ['members', 'former_members', 'bans'].map(ofUser).join(' UNION ALL '),
    ),
    isCreator: pluck<[number, string]>(
      'SELECT 1 FROM groups g JOIN users u ON u.user_key = g.created_by WHERE g.group_key = ? AND u.user_id = ?',
    ),
    pins: pluck<[number]>('SELECT count(*) FROM messages WHERE group_key = ? AND pinned_at IS NOT NULL'),
    hasName: pluck<[string]>("SELECT 1 FROM users WHERE user_id = ? AND name <> ''"),
    member: all<[number, string], MarkedMember>(`${member} AND u.user_id = ?`),
    members: all<[number], MarkedMember>(member),
    unmarked: all<[], UnmarkedGroup>(`
      SELECT g.group_key AS "key", g.group_id AS groupId, g.last_seq AS lastSeq, i.since,
        ifnull((SELECT max(seq) FROM messages m WHERE m.group_key = g.group_key AND m.seq <= i.since), 0)
          AS lastPostBefore
      FROM imported_groups i JOIN groups g ON g.group_key = i.group_key
      WHERE i.since IS NOT NULL ORDER BY i.group_key, i.since LIMIT 1`),
    marked: db.prepare('UPDATE imported_groups SET since = NULL WHERE group_key = ? AND since IS NOT NULL'),
    withoutAdmin: pluck<[]>(`
      SELECT count(*) FROM groups g WHERE g.kind = 'group' AND g.member_count > 0 AND NOT EXISTS (
        SELECT 1 FROM members m WHERE m.group_key = g.group_key AND m.role = 'admin')`),
  }
}
