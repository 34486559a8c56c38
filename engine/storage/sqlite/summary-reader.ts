/**
 * Summary reader: reads all groups of a user at once, for `connected`, as texts (`SummaryTexts`).
 */
import type { Database } from 'better-sqlite3'
import { limits } from '../../../protocol/limits.ts'
import { fitRows } from '../../base/fit-rows.ts'
import { noStandings, type SummaryTexts, summaryBytes } from '../summary-texts.ts'
import { awaitedIn } from './group-rows.ts'
import { mentionsColumn, unreadColumn } from './unread-columns.ts'

export class SummaryReader {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  /** The positions of all groups of the user, and summaries of the newest ones that fit into an answer. */
  summaries(userKey: number, limit: number): SummaryTexts {
    const standings = this.standings(userKey)
    if (standings === noStandings) return { standings, rows: '[]' }
    const { rows } = fitRows(this.#sql.rows.all(userKey, limit, userKey), limit, 1, summaryBytes)
    return { standings, rows: `[${rows.join()}]` }
  }

  /** The positions of all groups of the user. */
  standings(userKey: number): string {
    const columns = this.#sql.columns.get(limits.largeGroup, userKey) ?? []
    return `[${columns.join()}]`
  }
}

function prepare(db: Database) {
  return {
    columns: db
      .prepare(`
        SELECT json_group_array(g.group_id), json_group_array(me.joined_seq), json_group_array(g.last_seq),
          json_group_array(g.ceiling > g.last_seq), json_group_array(g.group_id) FILTER (WHERE g.member_count > ?)
        FROM members me JOIN groups g ON g.group_key = me.group_key
        WHERE me.user_key = ?`)
      .raw() as unknown as { get(size: number, userKey: number): string[] | undefined },
    // By activity, ties by id; CROSS JOIN makes SQLite begin with these groups.
    rows: db
      .prepare(`
        SELECT json_array(g.group_id, g.kind, g.visibility, c.user_id, g.created_at, g.name, g.topic, g.avatar_url,
          g.last_seq, g.member_count, ${unreadColumn}, ${mentionsColumn}, me.read_seq, me.quiet_until,
          CASE g.kind WHEN 'direct' THEN json((
            SELECT json_group_array(json_array(user_id, name, picture, role, joined_at, muted_until)) FROM (
              SELECT o.user_id, o.name, o.picture, m.role, m.joined_at, m.muted_until
              FROM members m JOIN users o ON o.user_key = m.user_key
              WHERE m.group_key = g.group_key ORDER BY m.joined_seq, m.user_key))) END,
          CASE WHEN g.kind = 'direct' AND g.member_count = 1 THEN json((
            SELECT json_object('userId', w.user_id, 'name', w.name, 'picture', w.picture)
            FROM (${awaitedIn('g.group_key')}) JOIN users w USING (user_key) LIMIT 1)) END,
          g.active_at)
        FROM (
          SELECT g.group_key FROM members me JOIN groups g ON g.group_key = me.group_key
          WHERE me.user_key = ? ORDER BY g.active_at DESC, g.group_id LIMIT ? + 0) k
        CROSS JOIN members me ON me.group_key = k.group_key AND me.user_key = ?
        CROSS JOIN groups g ON g.group_key = k.group_key
        JOIN users u ON u.user_key = me.user_key JOIN users c ON c.user_key = g.created_by`)
      .pluck() as unknown as { all(userKey: number, limit: number, sameUser: number): string[] },
  }
}
