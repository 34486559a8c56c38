/**
 * Timeline: a contiguous part of a group's log in memory, ascending.
 *
 * It contains every message of the log from `from` to `to`; notices only where they were received as events.
 * While it reaches the end of the log, live events extend it. Bounded by `trim`.
 */
import type { EventFields } from '../../protocol/events.ts'
import type { CachedItem, CachedPage } from './cache/message-cache.ts'
import { isEqual } from './sharing.ts'

export class Timeline {
  /** The same list until it changes. */
  items: readonly CachedItem[] = []
  from: number
  to: number
  /** Reaches the end of the log. */
  isNewest: boolean

  constructor(page: LogPage) {
    this.from = page.from
    this.to = page.to
    this.isNewest = page.isNewest
    this.merge(page)
  }

  find(seq: number): CachedItem | undefined {
    const item = this.items[this.#at(seq)]
    return item?.seq === seq ? item : undefined
  }

  /** Adds a page that touches the timeline. Equal items stay the same objects; notices stay. */
  merge({ from, to, items, isNewest }: LogPage): void {
    const start = this.#at(from)
    const end = this.#at(to + 1)
    const before = new Map(this.items.slice(start, end).map((item) => [item.seq, item]))
    const merged = items.map((item) => {
      const known = before.get(item.seq)
      before.delete(item.seq)
      return known && isEqual(known, item) ? known : item
    })
    for (const item of before.values()) if ('notice' in item) merged.push(item)
    merged.sort((a, b) => a.seq - b.seq)
    this.items = [...this.items.slice(0, start), ...merged, ...this.items.slice(end)]
    this.from = Math.min(this.from, from)
    this.to = Math.max(this.to, to)
    this.isNewest ||= isNewest
  }

  /** The log has reached `seq`, perhaps with an item there. */
  advance(seq: number, item?: CachedItem): void {
    if (!this.isNewest && seq > this.to) return
    if (item) this.insert(item)
    this.to = Math.max(this.to, seq)
  }

  insert(item: CachedItem): void {
    const at = this.#at(item.seq)
    const known = this.items[at]
    const isKnown = known?.seq === item.seq
    if (isKnown && isEqual(known, item)) return
    this.items = [...this.items.slice(0, at), item, ...this.items.slice(at + (isKnown ? 1 : 0))]
  }

  remove(from: number, to: number): void {
    this.items = this.items.filter(({ seq }) => seq < from || seq > to)
  }

  /** Retains at most `max` items; the others are dropped from the given end. */
  trim(max: number, end: 'older' | 'newer'): void {
    if (this.items.length <= max) return
    this.items = end === 'older' ? this.items.slice(-max) : this.items.slice(0, max)
    if (end === 'older') this.from = this.items[0]?.seq ?? this.from
    else {
      this.to = this.items.at(-1)?.seq ?? this.to
      this.isNewest = false
    }
  }

  /** The position of the first item from `seq` on. */
  #at(seq: number): number {
    let low = 0
    let high = this.items.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.items[middle]?.seq ?? 0) < seq) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** A page, and whether it reaches the end of the log. */
export interface LogPage extends CachedPage {
  readonly isNewest: boolean
}

/**
 * The answer to `get_history` as a page. `place` is that of the request; without it, the page ends at the end
 * of the log, which was `lastSeq` at least.
 */
export function pageOfHistory(
  { groupId, messages, hasMore, gaps = [] }: EventFields<'history'>,
  place: { readonly before?: number; readonly after?: number },
  lastSeq: number,
): LogPage {
  const { before, after } = place
  const first = messages[0]?.seq ?? 0
  const last = messages.at(-1)?.seq ?? 0
  const from = after !== undefined ? after + 1 : hasMore ? first : 1
  const end = Math.max(last, lastSeq)
  // A place above the end of the log: what will be there is not known.
  const to =
    after === undefined
      ? Math.min(before === undefined ? end : before - 1, end)
      : hasMore
        ? last
        : Math.max(end, after)
  const items: CachedItem[] = messages.map((message) => ({ groupId, seq: message.seq, message }))
  for (const gap of gaps) {
    if (gap.seq >= from && gap.seq <= to) items.push(lostItem(groupId, gap.seq))
  }
  const isNewest = after === undefined ? before === undefined || before > end : !hasMore
  return { from, to, items: items.sort((a, b) => a.seq - b.seq), isNewest }
}

/** The notice that messages were lost (GAP-1). */
export function lostItem(groupId: string, seq: number): CachedItem {
  return { groupId, seq, notice: { kind: 'notice', key: `${groupId}:${seq}`, seq, at: 0, what: 'lost' } }
}
