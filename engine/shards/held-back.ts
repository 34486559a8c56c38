/**
 * Held back: what may be sent only after the log has committed, in order.
 *
 * A queue by log offset: answers (DUR-1), leases, and with `FANOUT=committed` the events for members.
 * Bounded by the shard, which refuses writes above `MAX_UNCOMMITTED_ITEMS` or `MAX_UNCOMMITTED_BYTES`.
 */
import type { Caller } from '../actors/caller.ts'
import { LANES } from '../base/partition.ts'

/** Limits of what one shard may have uncommitted: as much as its inbox holds, if all of it arrives in one turn. */
const MAX_UNCOMMITTED_ITEMS = 65_536
const MAX_UNCOMMITTED_BYTES = 64 * 1024 * 1024
/** What a lane may have uncommitted even if the other lanes of its shard use up the limit. */
const LANE_ITEMS = MAX_UNCOMMITTED_ITEMS / LANES
const LANE_BYTES = MAX_UNCOMMITTED_BYTES / LANES

/** What all lanes of a shard hold back together. */
export interface HeldTotals {
  items: number
  bytes: number
}

export type Held =
  | {
      readonly type: 'answer'
      readonly to: Caller
      readonly frame: Uint8Array
      readonly tempId: string | undefined
    }
  /**
   * Shows members an event, or runs what follows it. `frame` counts towards the limit. `drop` is called
   * instead of `release` if the entries that it waits for are refused.
   */
  | {
      readonly type: 'show'
      readonly frame: Uint8Array | null
      readonly release: () => void
      readonly drop?: () => void
    }
  | { readonly type: 'call'; readonly release: () => void; readonly drop?: () => void }

interface Item {
  readonly offset: number
  readonly bytes: number
  /** The owner of the entries that it waits for (`ownerOf`). */
  readonly owner: string
  readonly held: Held
}

export class HeldBack {
  readonly #totals: HeldTotals
  #items: Item[] = []
  #head = 0
  #bytes = 0
  #shows = 0

  constructor(totals: HeldTotals = { items: 0, bytes: 0 }) {
    this.#totals = totals
  }

  /** Number of waiting `show` items. */
  get shows(): number {
    return this.#shows
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  /** Whether no more durable requests are accepted: the limit is reached, and this lane uses its share. */
  get full(): boolean {
    const { items, bytes } = this.#totals
    return (
      (items >= MAX_UNCOMMITTED_ITEMS && this.size >= LANE_ITEMS) ||
      (bytes >= MAX_UNCOMMITTED_BYTES && this.#bytes >= LANE_BYTES)
    )
  }

  /** Holds an item until everything up to `offset` is committed. Offsets never decrease. */
  push(offset: number, owner: string, held: Held): void {
    const bytes = held.type === 'call' ? 0 : (held.frame?.length ?? 0)
    this.#bytes += bytes
    this.#totals.items += 1
    this.#totals.bytes += bytes
    if (held.type === 'show') this.#shows += 1
    this.#items.push({ offset, bytes, owner, held })
  }

  /** Releases the items that waited for offsets up to `committed`, in order. */
  release(committed: number, give: (held: Held) => void): void {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head] as Item
      if (item.offset > committed) break
      this.#head += 1
      this.#bytes -= item.bytes
      this.#totals.items -= 1
      this.#totals.bytes -= item.bytes
      if (item.held.type === 'show') this.#shows -= 1
      give(item.held)
    }
    if (this.#head === this.#items.length) this.#items = []
    else if (this.#head > 1_024) this.#items = this.#items.slice(this.#head)
    else return
    this.#head = 0
  }

  /** Removes and returns all answers, in order: they will be refused. Other items still wait for the commit. */
  takeAnswers(): readonly Extract<Held, { type: 'answer' }>[] {
    const answers = this.#remove(({ held }) => held.type === 'answer')
    return answers.flatMap((held) => (held.type === 'answer' ? [held] : []))
  }

  /** Removes and returns, in order, the items of `owner` from offset `from` on: their entries are refused. */
  takeOf(owner: string, from: number): readonly Held[] {
    return this.#remove((item) => item.owner === owner && item.offset >= from)
  }

  #remove(matches: (item: Item) => boolean): readonly Held[] {
    const waiting = this.#items.slice(this.#head)
    this.#items = waiting.filter((item) => !matches(item))
    this.#head = 0
    const bytes = this.#items.reduce((sum, item) => sum + item.bytes, 0)
    this.#totals.items -= waiting.length - this.#items.length
    this.#totals.bytes -= this.#bytes - bytes
    this.#bytes = bytes
    this.#shows = this.#items.reduce((sum, { held }) => sum + (held.type === 'show' ? 1 : 0), 0)
    return waiting.filter(matches).map(({ held }) => held)
  }
}
