/**
 * Held back: what may be said only once the log has committed, in order.
 *
 * A queue by log offset: answers (DUR-1), leases, and with `FANOUT=committed` what members
 * see. Bounded by the shard, which takes no more writes above `MAX_UNCOMMITTED` entries or bytes.
 */
import type { Caller } from '../actors/caller.ts'

/** What one shard may have uncommitted: as much as its inbox holds, should all of it come in one turn. */
const MAX_UNCOMMITTED_ITEMS = 65_536
const MAX_UNCOMMITTED_BYTES = 64 * 1024 * 1024

export type Held =
  | {
      readonly type: 'answer'
      readonly to: Caller
      readonly frame: Uint8Array
      readonly tempId: string | undefined
    }
  /**
   * Shows members an event, or does what comes after that. `frame` counts for the bound; `drop` is
   * called instead of `release` where what it waits for is refused.
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
  /** Whose entries it waits for (`ownerOf`). */
  readonly owner: string
  readonly held: Held
}

export class HeldBack {
  #items: Item[] = []
  #head = 0
  #bytes = 0
  #shows = 0

  /** How many `show` wait. */
  get shows(): number {
    return this.#shows
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  /** Whether another durable request would be too much. */
  get full(): boolean {
    return this.size >= MAX_UNCOMMITTED_ITEMS || this.#bytes >= MAX_UNCOMMITTED_BYTES
  }

  /** Keeps something until everything up to `offset` is committed. Offsets never go down. */
  push(offset: number, owner: string, held: Held): void {
    const bytes = held.type === 'call' ? 0 : (held.frame?.length ?? 0)
    this.#bytes += bytes
    if (held.type === 'show') this.#shows += 1
    this.#items.push({ offset, bytes, owner, held })
  }

  /** Gives out what waited for offsets up to `committed`, in order. */
  release(committed: number, give: (held: Held) => void): void {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head] as Item
      if (item.offset > committed) break
      this.#head += 1
      this.#bytes -= item.bytes
      if (item.held.type === 'show') this.#shows -= 1
      give(item.held)
    }
    if (this.#head === this.#items.length) this.#items = []
    else if (this.#head > 1_024) this.#items = this.#items.slice(this.#head)
    else return
    this.#head = 0
  }

  /** Takes all answers out, in order: they will be refused. The rest still waits for its commit. */
  takeAnswers(): readonly Extract<Held, { type: 'answer' }>[] {
    const answers = this.#takeOut(({ held }) => held.type === 'answer')
    return answers.flatMap((held) => (held.type === 'answer' ? [held] : []))
  }

  /** Takes out, in order, what waits for entries of `owner` from offset `from` on: they are refused. */
  takeOf(owner: string, from: number): readonly Held[] {
    return this.#takeOut((item) => item.owner === owner && item.offset >= from)
  }

  #takeOut(goes: (item: Item) => boolean): readonly Held[] {
    const waiting = this.#items.slice(this.#head)
    this.#items = waiting.filter((item) => !goes(item))
    this.#head = 0
    this.#bytes = this.#items.reduce((sum, item) => sum + item.bytes, 0)
    this.#shows = this.#items.reduce((sum, { held }) => sum + (held.type === 'show' ? 1 : 0), 0)
    return waiting.filter(goes).map(({ held }) => held)
  }
}
