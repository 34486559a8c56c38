/**
 * Row keys: the integer keys that stand for groups and users inside the file, cached in memory.
 */
import type { NameWords } from './name-words.ts'
import type { WriteStatements } from './write-statements.ts'

/** Keys cached in memory, of groups and of users each. Above this number the cache is emptied. */
const MAX_CACHED_KEYS = 100_000

export class RowKeys {
  readonly #sql: WriteStatements
  readonly #nameWords: NameWords
  readonly #groups = new Map<string, number>()
  readonly #users = new Map<string, number>()

  constructor(sql: WriteStatements, nameWords: NameWords) {
    this.#sql = sql
    this.#nameWords = nameWords
  }

  /** Keys that were assigned in a transaction were rolled back with it. */
  forget(): void {
    this.#groups.clear()
    this.#users.clear()
  }

  /** @throws Error if there is no such group */
  ofGroup(groupId: string): number {
    const cached = this.#groups.get(groupId)
    if (cached !== undefined) return cached
    const key = this.#sql.groupKey.get(groupId)
    if (key === undefined) throw new Error(`no group ${groupId} in the log`)
    return remember(this.#groups, groupId, key)
  }

  /** A user without a row gets one. */
  ofUser(userId: string): number {
    const cached = this.#users.get(userId)
    if (cached !== undefined) return cached
    const found = this.#sql.userKey.get(userId)
    if (found !== undefined) return remember(this.#users, userId, found)
    const added = Number(this.#sql.addUser.run(userId).lastInsertRowid)
    this.#nameWords.put(userId)
    return remember(this.#users, userId, added)
  }
}

function remember(keys: Map<string, number>, id: string, key: number): number {
  if (keys.size >= MAX_CACHED_KEYS) keys.clear()
  keys.set(id, key)
  return key
}
