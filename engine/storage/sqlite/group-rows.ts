/**
 * Group rows: the rows of groups and members, and their conversion to records.
 */
import type { Member } from '../../../protocol/records.ts'
import type { Role, StoredGroup } from '../../stored/stored-group.ts'

export interface GroupRow {
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

export interface MemberRow {
  readonly user_id: string
  readonly name: string
  readonly picture: string
  readonly role: Role
  readonly joined_seq: number
  readonly joined_at: number
  readonly muted_until: number
  readonly quiet_until: number
  readonly approached: 0 | 1
}

/** The columns of a statement on groups `g` and their creators `c`. */
export const groupColumns = `g.group_key, g.group_id, g.kind, g.visibility, c.user_id AS created_by, g.created_at,
    g.name, g.topic, g.avatar_url, g.last_seq`

/** The user who has not accepted the direct chat `group`, or has declined it. PRV-2 */
export const awaitedIn = (group: string) => `SELECT user_key FROM invitations WHERE group_key = ${group}
    UNION SELECT user_key FROM former_members WHERE group_key = ${group}`

/** Converts a row to a group. */
export function storedGroup(row: GroupRow): StoredGroup {
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

/** Converts a row to a member. */
export function toMember(row: MemberRow): Member {
  return {
    userId: row.user_id,
    name: row.name || row.user_id,
    role: row.role,
    joinedAt: row.joined_at,
    mutedUntil: row.muted_until || undefined,
    picture: row.picture || undefined,
  }
}
