/**
 * Group receipts: up to where each member has received and read, for the states of the user's own messages.
 *
 * Marks follow from events. Those that were missed are read again, once for each connection, when the group is
 * on show. Bounded: none are stored for groups above `MAX_MARKS` members.
 */
import type { ReceiptMark } from './cache/message-cache.ts'
import type { GroupState } from './group-state.ts'
import type { StoreCore } from './store-core.ts'

const MAX_MARKS = 500
/** Own messages whose receipts are read again after a connection was lost. */
const RECEIPTS_READ = 8

export class GroupReceipts {
  readonly #group: GroupState
  readonly #core: StoreCore
  #isRead = false

  constructor(group: GroupState, core: StoreCore) {
    this.#group = group
    this.#core = core
  }

  /** A member has received or read messages up to `seq`. */
  mark(userId: string, kind: 'delivered' | 'read', seq: number): void {
    const { row, window } = this.#group
    if (!row || row.group.memberCount > MAX_MARKS) return
    const { marks = [] } = row
    const [, delivered, read] = marks.find(([id]) => id === userId) ?? [userId, 0, 0]
    const mark: ReceiptMark = [userId, Math.max(delivered, seq), kind === 'read' ? Math.max(read, seq) : read]
    if (mark[1] === delivered && mark[2] === read) return
    this.#group.store({ ...row, marks: [...marks.filter(([id]) => id !== userId), mark].slice(-MAX_MARKS) })
    window.changed()
  }

  /** Events may have been missed: the receipts are read again as soon as the group is on show. */
  outdated(): void {
    this.#isRead = false
    this.shown()
  }

  /** The window was loaded: receipts of the newest own messages are requested. */
  shown(): void {
    const { window } = this.#group
    if (this.#isRead || !this.#core.isConnected || !window.view.isUsed || !window.timeline) return
    this.#isRead = true
    this.#read().catch(() => {})
  }

  async #read(): Promise<void> {
    const { groupId, window } = this.#group
    for (const seq of window.ownSeqs.slice(0, RECEIPTS_READ)) {
      const answer = await this.#core.request('get_receipts', { messageId: `${groupId}:${seq}` })
      for (const [userId] of answer.delivered) this.mark(userId, 'delivered', seq)
      for (const [userId] of answer.read) this.mark(userId, 'read', seq)
      // Who has read a message has read those before it.
      if (answer.readCount >= (this.#group.row?.group.memberCount ?? 0) - 1) return
    }
  }
}
