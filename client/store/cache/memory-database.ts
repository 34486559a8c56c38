/**
 * Memory database: the cache in Node, and in browsers without IndexedDB. Also a cache's copy of all rows.
 */
import { type Batch, type CacheDatabase, pageOf, type RowChange } from './cache-database.ts'
import type { CachedItem, CachedPage, CachedState, Table, Tables } from './message-cache.ts'
import { joinRange, rangeOf, rangesFrom, type SeqRange } from './seq-ranges.ts'

interface GroupItems {
  readonly items: Map<number, CachedItem>
  ranges: readonly SeqRange[]
}

export class MemoryDatabase implements CacheDatabase {
  readonly #rows: { readonly [T in Table]: Map<string, Tables[T]> } = {
    profile: new Map(),
    groups: new Map(),
    outbox: new Map(),
    drafts: new Map(),
    uploads: new Map(),
  }
  readonly #groups = new Map<string, GroupItems>()

  get userId(): string | undefined {
    return this.#rows.profile.keys().next().value
  }

  put({ table, key, row }: RowChange): void {
    const rows = this.#rows[table] as Map<string, Tables[Table]>
    if (row) rows.set(key, row)
    else rows.delete(key)
  }

  async load(): Promise<null> {
    return null
  }

  state(): CachedState {
    const { profile, groups, outbox, drafts, uploads } = this.#rows
    return {
      profile: profile.values().next().value ?? null,
      groups: [...groups.values()],
      outbox: [...outbox.values()].sort((a, b) => a.order - b.order),
      drafts: [...drafts.values()],
      uploads: [...uploads.values()],
    }
  }

  async write({ rows, forgotten, items }: Batch): Promise<boolean> {
    for (const change of rows.values()) this.put(change)
    for (const groupId of forgotten) this.#groups.delete(groupId)
    for (const change of items) {
      const { groupId } = change
      const group = this.#groups.get(groupId) ?? { items: new Map<number, CachedItem>(), ranges: [] }
      this.#groups.set(groupId, group)
      if ('items' in change) {
        if (change.range) group.ranges = joinRange(group.ranges, change.range)
        for (const item of change.items) if (rangeOf(group.ranges, item.seq)) group.items.set(item.seq, item)
      } else {
        const item = group.items.get(change.seq)
        if (item) group.items.set(change.seq, change.change(item))
      }
    }
    return true
  }

  async writeLast(): Promise<void> {}

  async page(
    groupId: string,
    seq: number,
    limit: number,
    direction: 'older' | 'newer',
  ): Promise<CachedPage | null> {
    const group = this.#groups.get(groupId)
    const range = group && rangeOf(group.ranges, seq)
    if (!range) return null
    const [from, to] = direction === 'older' ? [range[0], seq] : [seq, range[1]]
    const items = [...group.items.values()]
      .filter((item) => item.seq >= from && item.seq <= to)
      .sort((a, b) => a.seq - b.seq)
    return pageOf(
      direction === 'older' ? items.slice(-limit) : items.slice(0, limit),
      seq,
      range,
      limit,
      direction,
    )
  }

  async trim(max: (count: number) => number): Promise<number> {
    const count = [...this.#groups.values()].reduce((sum, { items }) => sum + items.size, 0)
    let excess = count - max(count)
    const activity = ([groupId]: [string, unknown]) => this.#rows.groups.get(groupId)?.lastActivityAt ?? 0
    for (const [groupId, group] of [...this.#groups].sort((a, b) => activity(a) - activity(b))) {
      if (excess <= 0) break
      const seqs = [...group.items.keys()].sort((a, b) => a - b)
      const first = seqs[excess]
      excess -= seqs.length
      if (first === undefined) this.#groups.delete(groupId)
      else {
        for (const seq of seqs) if (seq < first) group.items.delete(seq)
        group.ranges = rangesFrom(group.ranges, first)
      }
    }
    return Math.min(count, max(count))
  }

  async clear(): Promise<void> {
    for (const rows of Object.values(this.#rows)) rows.clear()
    this.#groups.clear()
  }

  close(): void {}
}
