/**
 * Group import: groups and direct chats, their members and their bans.
 *
 * A group begins with `group_created`, each member with `user_joined_group`, at their times.
 */
import type { Contacts } from '../../engine/storage/sqlite/contacts.ts'
import type { GroupPosition, ImportedRows } from '../../engine/storage/sqlite/imported-rows.ts'
import { DIRECT_PREFIX, type Role, type StoredGroup } from '../../engine/stored/stored-group.ts'
import { groupId as groupIdType } from '../../protocol/ids.ts'
import { limits } from '../../protocol/limits.ts'
import { refusalOf } from '../../protocol/validation.ts'
import type { ImportBatch } from './import-batch.ts'
import type { ImportCounts } from './import-counts.ts'
import { lineError } from './import-error.ts'
import type { BanRecord, GroupRecord, MemberRecord } from './import-record.ts'
import type { OpenGroup, OpenGroups } from './open-groups.ts'

export interface GroupImportOptions {
  readonly rows: ImportedRows
  readonly contacts: Contacts
  readonly batch: ImportBatch
  readonly groups: OpenGroups
  readonly counts: ImportCounts
  /** Writes everything that waits. */
  readonly flush: () => void
}

export class GroupImport {
  readonly #rows: ImportedRows
  readonly #contacts: Contacts
  readonly #batch: ImportBatch
  readonly #groups: OpenGroups
  readonly #counts: ImportCounts
  readonly #flush: () => void

  constructor({ rows, contacts, batch, groups, counts, flush }: GroupImportOptions) {
    this.#rows = rows
    this.#contacts = contacts
    this.#batch = batch
    this.#groups = groups
    this.#counts = counts
    this.#flush = flush
  }

  group(record: GroupRecord, line: number): void {
    const { groupId: oldId, createdAt } = record
    const group = this.#groupOf(record, line)
    const { groupId, createdBy } = group
    const found = this.#groups.find(oldId)
    if (found && found.groupId !== groupId) {
      throw lineError(line, `group.groupId ${oldId} is that of another group`)
    }
    const known = this.#rows.byId(groupId)
    if (known) {
      this.#rows.touch(oldId, known.key, null)
      return
    }
    this.#batch.add({ type: 'group', group })
    this.#flush()
    const open = this.#groups.open(oldId, this.#rows.byId(groupId) as GroupPosition)
    const seq = this.#groups.nextSeq(open)
    const members = group.kind === 'direct' ? (record.members ?? []) : []
    for (const userId of members) this.#addMember(open, userId, 'admin', seq, createdAt)
    const listed = members.map((userId) => ({
      userId,
      name: userId,
      role: 'admin' as const,
      joinedAt: createdAt,
    }))
    const shown = { ...group, memberCount: members.length, lastSeq: seq, members: listed }
    this.#batch.event(groupId, seq, createdAt, 'group_created', {
      group: shown,
      groupId,
      seq,
      by: createdBy,
      at: createdAt,
    })
    this.#flush()
    this.#counts.groups += 1
  }

  /** @throws ImportError if the record is not that of a group */
  #groupOf(record: GroupRecord, line: number): StoredGroup {
    const { groupId, kind = 'group', createdAt, members } = record
    if (kind === 'direct') {
      const [one, other] = members ?? []
      if (one === undefined || other === undefined || one === other) {
        throw lineError(line, 'group.members of a direct chat must be its two users')
      }
      const createdBy = record.createdBy ?? one
      return {
        groupId: this.#contacts.direct(one, other),
        kind,
        visibility: 'private',
        createdBy,
        createdAt,
      }
    }
    const refusal = refusalOf(groupIdType, groupId)
    if (refusal !== undefined) throw lineError(line, `group.groupId ${refusal}`)
    // IDN-3
    if (groupId.startsWith(DIRECT_PREFIX)) {
      throw lineError(line, `group.groupId must not begin with ${DIRECT_PREFIX}`)
    }
    if (members) throw lineError(line, 'group.members is for direct chats; each member of a group has a line')
    if (record.createdBy === undefined) throw lineError(line, 'group.createdBy is missing')
    const { createdBy, visibility = 'private', name, topic, avatarUrl } = record
    return { groupId, kind, visibility, createdBy, createdAt, name, topic, avatarUrl }
  }

  member({ groupId, userId, role, joinedAt }: MemberRecord, line: number): void {
    const group = this.#groups.require('member', groupId, line)
    if (group.waiting.length > 0) this.#flush()
    // A user who has left or was banned since does not return by an import. GRP-3
    if (this.#isKnown(group, userId)) return
    if (group.kind === 'direct') throw lineError(line, 'member: a direct chat has only its two users')
    if (group.memberCount >= limits.membersPerGroup) {
      throw lineError(line, `member: group ${groupId} has ${limits.membersPerGroup} members, the most`)
    }
    const seq = this.#groups.nextSeq(group)
    const at = joinedAt ?? group.createdAt
    this.#addMember(group, userId, role ?? this.#rows.defaultRole(group.key, userId), seq, at)
    this.#batch.event(group.groupId, seq, at, 'user_joined_group', {
      userId,
      userName: userId,
      groupId: group.groupId,
      seq,
    })
    this.#batch.joined.add(`${group.key} ${userId}`)
    this.#batch.writeIfLarge()
    this.#counts.members += 1
  }

  ban({ groupId, userId }: BanRecord, line: number): void {
    const group = this.#groups.require('ban', groupId, line)
    if (group.kind === 'direct') throw lineError(line, 'ban: a direct chat has no bans')
    this.#flush()
    // GRP-3
    if (this.#rows.member(group.key, userId)) {
      this.#counts.dropped += 1
      return
    }
    this.#batch.add({ type: 'ban', groupId: group.groupId, userId })
    this.#flush()
  }

  /** Whether the user is a member, has left, or is banned. */
  #isKnown({ key }: OpenGroup, userId: string): boolean {
    return this.#batch.joined.has(`${key} ${userId}`) || this.#rows.isKnown(key, userId)
  }

  #addMember(group: OpenGroup, userId: string, role: Role, joinedSeq: number, joinedAt: number): void {
    const { groupId } = group
    const member = { userId, role, joinedSeq, joinedAt, mutedUntil: 0, quietUntil: 0 }
    this.#batch.add({ type: 'member', groupId, member })
    this.#batch.add({ type: 'uninvite', groupId, userId })
    group.memberCount += 1
  }
}
