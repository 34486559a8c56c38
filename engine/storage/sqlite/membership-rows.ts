/**
 * Membership rows: the rows of a user in a group, as member, former member, invited or banned user, and
 * what they have received and read.
 */
import { limits } from '../../../protocol/limits.ts'
import type { LogEntry } from '../../stored/log-entry.ts'
import type { RowKeys } from './row-keys.ts'
import type { UnreadCounters } from './unread.ts'
import type { WriteStatements } from './write-statements.ts'

type MembershipEntry = Extract<
  LogEntry,
  {
    type:
      | 'member'
      | 'member_left'
      | 'former_member'
      | 'former_member_back'
      | 'ban'
      | 'unban'
      | 'invite'
      | 'uninvite'
      | 'receipts'
  }
>

/** Used by the one writer, inside its transactions. */
export class MembershipRows {
  readonly #sql: WriteStatements
  readonly #keys: RowKeys
  readonly #unread: UnreadCounters

  constructor(sql: WriteStatements, keys: RowKeys, unread: UnreadCounters) {
    this.#sql = sql
    this.#keys = keys
    this.#unread = unread
  }

  apply(entry: MembershipEntry): void {
    const sql = this.#sql
    const group = this.#keys.ofGroup(entry.groupId)
    const user = this.#keys.ofUser(entry.type === 'member' ? entry.member.userId : entry.userId)
    switch (entry.type) {
      case 'member': {
        const { member } = entry
        this.#unread.countPosts(group)
        sql.putMember.run(
          group,
          user,
          member.role,
          member.joinedSeq,
          member.joinedAt,
          member.mutedUntil,
          member.quietUntil,
          member.approached ? 1 : 0,
          member.joinedSeq,
          group,
        )
        // A user who accepts a direct chat has the messages since its beginning as unread. PRV-2
        this.#unread.read(group, user)
        // A user who rejoins gets their earlier receipts back (RCP-1).
        sql.restoreReceipts.run(group, user)
        sql.dropFormer.run(group, user)
        break
      }
      case 'member_left':
        this.#unread.countPosts(group)
        sql.storeFormerReceipts.run(group, user)
        sql.dropOldest.run(group, group, limits.membersPerGroup)
        sql.dropMember.run(group, user)
        break
      case 'former_member':
        sql.putFormerMember.run(group, user, entry.leftSeq, entry.byChoice ? 1 : 0, entry.mutedUntil)
        break
      case 'former_member_back':
        sql.dropFormerMember.run(group, user)
        break
      case 'ban':
        sql.addBan.run(group, user)
        break
      case 'unban':
        sql.dropBan.run(group, user)
        break
      case 'invite':
        sql.addInvitation.run(group, user, this.#keys.ofUser(entry.by), entry.at)
        break
      case 'uninvite':
        sql.dropInvitation.run(group, user)
        break
      case 'receipts':
        sql.putReceipts.run(entry.delivered, entry.read, entry.readSeq, group, user)
        this.#unread.read(group, user)
        break
    }
  }
}
