/**
 * Direct members: the two users of a direct chat, also while one of them has not accepted it. PRV-2
 */
import type { Member } from '../../../protocol/records.ts'
import { awaitedMember } from '../../stored/awaited-member.ts'
import type { Person } from '../../stored/stored-user.ts'
import { type GroupRow, toMember } from './group-rows.ts'
import type { ReadStatements } from './read-statements.ts'

/** The two users of a direct chat, also if one of them has not accepted it. PRV-2 */
export function directMembers(
  sql: ReadStatements,
  { kind, group_key: key, created_at }: GroupRow,
): readonly Member[] | undefined {
  if (kind !== 'direct') return undefined
  const members = sql.members.all(key).map(toMember)
  const awaited = members.length === 1 ? awaitedMemberOf(sql, key) : null
  return awaited ? [...members, awaitedMember(awaited, created_at)] : members
}

export function awaitedMemberOf(sql: ReadStatements, group: number): Person | null {
  const row = sql.awaited.get({ group })
  return row ? { ...row, name: row.name || row.userId } : null
}
