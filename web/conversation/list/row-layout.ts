/**
 * Layout of rows: where each row is, by measured heights, and by estimates for rows that were never shown.
 *
 * Heights belong to keys, not to positions, so that rows may be added and removed anywhere.
 */

/** A row that is not measured yet; near the height of a short message. */
const ESTIMATE = 44
/** Heights of rows that are not in the list are forgotten above this number. */
const MAX_HEIGHTS = 20_000

export interface Range {
  /** Indexes; the end is exclusive. */
  readonly from: number
  readonly to: number
}

export class RowLayout {
  #keys: readonly string[] = []
  readonly #heights = new Map<string, number>()
  #indexes = new Map<string, number>()
  /** The top of each row, and the total height at the end. Recalculated when it is needed. */
  #tops: Float64Array = new Float64Array(1)
  #isStale = false

  /** The rows in their order. */
  setKeys(keys: readonly string[]): void {
    this.#keys = keys
    this.#indexes = new Map(keys.map((key, i) => [key, i]))
    this.#isStale = true
    if (this.#heights.size > MAX_HEIGHTS) {
      for (const key of this.#heights.keys()) if (!this.#indexes.has(key)) this.#heights.delete(key)
    }
  }

  /** Records the height of a row. */
  measure(key: string, height: number): void {
    if (this.#heights.get(key) === height) return
    this.#heights.set(key, height)
    this.#isStale = true
  }

  indexOf(key: string): number {
    return this.#indexes.get(key) ?? -1
  }

  /** The top of a row; for the number of rows, the height of all. */
  top(index: number): number {
    return this.#allTops()[index] ?? 0
  }

  height(index: number): number {
    return this.top(index + 1) - this.top(index)
  }

  /** The rows that a part of the list touches. */
  range(from: number, to: number): Range {
    const first = this.#rowAt(from)
    return { from: first, to: Math.min(this.#keys.length, this.#rowAt(to) + 1) }
  }

  /** The row at a position; the first or the last one beyond the ends. */
  #rowAt(position: number): number {
    const tops = this.#allTops()
    let low = 0
    let high = Math.max(0, this.#keys.length - 1)
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((tops[middle] as number) <= position) low = middle
      else high = middle - 1
    }
    return low
  }

  #allTops(): Float64Array {
    if (!this.#isStale) return this.#tops
    this.#isStale = false
    const tops = new Float64Array(this.#keys.length + 1)
    for (let i = 0; i < this.#keys.length; i++) {
      tops[i + 1] = (tops[i] as number) + (this.#heights.get(this.#keys[i] as string) ?? ESTIMATE)
    }
    this.#tops = tops
    return tops
  }
}
