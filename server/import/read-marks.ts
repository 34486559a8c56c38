/**
 * Read marks: after an import, its messages count as read by the members of their groups (UNR-1).
 *
 * A `read` record of a member states otherwise. A member who has unread messages from before the import keeps
 * those unread, and the imported ones with them.
 */
import { loadedReceipts, readUpTo, receiptsEntry } from '../../engine/actors/group/member-receipts.ts'
import type { ImportedRows, MarkedMember } from '../../engine/storage/sqlite/imported-rows.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'

/** Entries of one transaction, plus those of one group. */
const MAX_ENTRIES = 4_096

export class ReadMarks {
  readonly #rows: ImportedRows
  /** The time of the receipts. */
  readonly now: number

  constructor(rows: ImportedRows, now: number) {
    this.#rows = rows
    this.now = now
  }

  /** The entry that marks everything up to a number as read by a member. */
  readUpTo(groupId: string, member: MarkedMember, seq: number): LogEntry {
    const receipts = loadedReceipts([member]).get(member.userId)
    if (!receipts) throw new Error('no receipts were loaded')
    readUpTo(receipts, member.joinedSeq, seq, this.now)
    receipts.readSeq = seq
    return receiptsEntry(groupId, member.userId, receipts)
  }

  /** Sets the marks of some groups in the open transaction; returns their number, 0 if none is left. */
  step(commit: (entries: readonly LogEntry[]) => void): number {
    const entries: LogEntry[] = []
    let groups = 0
    while (entries.length < MAX_ENTRIES) {
      const group = this.#rows.unmarked()
      if (!group) break
      const { key, groupId, lastSeq, lastPostBefore, since } = group
      for (const member of this.#rows.members(key)) {
        const isStated = member.readSeq > since
        const hadUnread = Math.max(member.readSeq, member.joinedSeq) < lastPostBefore
        if (!isStated && !hadUnread) entries.push(this.readUpTo(groupId, member, lastSeq))
      }
      this.#rows.marked(key)
      groups += 1
    }
    commit(entries)
    return groups
  }
}
