/**
 * Contacts: what two users are to each other: blocked, strangers, in a direct chat. PRV-1, PRV-2
 */
import { directId, unkeyedDirectId } from './direct-id.ts'
import type { ReadStatements } from './read-statements.ts'

export class Contacts {
  readonly #sql: ReadStatements

  constructor(sql: ReadStatements) {
    this.#sql = sql
  }

  /** Those of `otherIds` who have blocked the user or are blocked by them. PRV-1 */
  barred(userId: string, otherIds: readonly string[]): readonly string[] {
    const key = this.#sql.user.get(userId)?.user_key
    if (key === undefined || this.#sql.hasBlocks.get(key, key) === undefined) return []
    return otherIds.filter((otherId) => {
      const other = this.#sql.user.get(otherId)?.user_key
      return other !== undefined && this.#sql.barred.get(key, other, other, key) !== undefined
    })
  }

  /** Those of `otherIds` whose presence the user may not see: PRV-1, PRV-2. */
  hidden(userId: string, otherIds: readonly string[]): readonly string[] {
    const barred = new Set(this.barred(userId, otherIds))
    return otherIds.filter((otherId) => barred.has(otherId) || this.#hasNotAccepted(userId, otherId))
  }

  /** A chat with an unkeyed id counts only if it is really that chat: others could have used the id. IDN-4 */
  direct(userId: string, otherId: string): string {
    const unkeyed = unkeyedDirectId(userId, otherId)
    if (this.#sql.directChat.get(unkeyed, userId, otherId) !== undefined) return unkeyed
    const key = this.#sql.secret.get('direct_id')
    if (!key) throw new Error('the database has no key for the ids of direct chats')
    return directId(key, userId, otherId)
  }

  /** Whether the two share no group except direct chats. Reads the groups of the one who is in fewer. */
  areStrangers(userId: string, otherId: string): boolean {
    const key = this.#sql.user.get(userId)?.user_key
    const other = this.#sql.user.get(otherId)?.user_key
    if (key === undefined || other === undefined) return true
    const [few, many] = this.#groupCount(userId) <= this.#groupCount(otherId) ? [key, other] : [other, key]
    return this.#sql.sharedGroup.get(few, many) === undefined
  }

  /** Whether the only group that the two share is a direct chat that the other has not accepted. PRV-2 */
  #hasNotAccepted(userId: string, otherId: string): boolean {
    const other = this.#sql.user.get(otherId)?.user_key
    if (other === undefined || this.#sql.isApproached.get(other) === undefined) return false
    const groupId = this.direct(userId, otherId)
    return this.#sql.isApproachedIn.get(other, groupId) !== undefined && this.areStrangers(userId, otherId)
  }

  #groupCount(userId: string): number {
    return this.#sql.userCounts.get(userId)?.[0] ?? 0
  }
}
