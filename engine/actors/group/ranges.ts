/**
 * Ranges: for which of a group's numbers a member has given a receipt, and when.
 *
 * Ascending and disjoint, each with one time, so that receipts for 10,000 messages use a few bytes.
 * Ranges with no number in between that needs a receipt touch (`to + 1 === from`), and within a minute
 * they are one range with the time of its first receipt. Above `MANY` ranges, the oldest touching ranges
 * are merged, with the later time, which means "by then". A receipt that was not given is never reported
 * (RCP-1): above `MOST` ranges, if at least as many numbers in between have none, the oldest ranges are
 * removed instead.
 */
export interface Range {
  from: number
  /** Inclusive. */
  to: number
  /** Milliseconds since 1970. */
  at: number
}

/** Only `addReceipts` changes them. */
export type Ranges = readonly Readonly<Range>[]

/** Whether no number between the two needs a receipt; numbers that touch have none. */
export type NothingBetween = (a: number, b: number) => boolean

const SHARED_MS = 60_000
const MANY = 64
const MOST = 4_096

/** When the receipt for a number was given; undefined if it was not. */
export function timeOf(ranges: Ranges, seq: number): number | undefined {
  const range = ranges[indexOf(ranges, seq)]
  return range && range.from <= seq ? range.at : undefined
}

/**
 * Adds receipts for ascending `seqs`. In place: ranges live long, and a new array for every receipt would
 * fill the old generation with garbage.
 */
export function addReceipts(
  ranges: Range[],
  seqs: readonly number[],
  at: number,
  nothingBetween: NothingBetween,
): void {
  for (const seq of seqs) {
    const i = indexOf(ranges, seq)
    const range = ranges[i]
    if (range && range.from <= seq) continue
    insert(ranges, i, seq, at, nothingBetween)
  }
  if (ranges.length > MANY) compact(ranges)
}

/** Adds receipts for all numbers of `first` to `last` that have none. */
export function addAll(ranges: Range[], first: number, last: number, at: number): void {
  let next = first
  let i = indexOf(ranges, first)
  while (next <= last) {
    const after = ranges[i]
    const to = Math.min(last, (after?.from ?? last + 1) - 1)
    if (next <= to) {
      const before = ranges[i - 1]
      if (before && before.to + 1 === next && Math.abs(at - before.at) <= SHARED_MS) before.to = to
      else {
        ranges.splice(i, 0, { from: next, to, at })
        i += 1
      }
    }
    next = (after?.to ?? last) + 1
    i += 1
  }
  if (ranges.length > MANY) compact(ranges)
}

/** The first number from `seq` on without a receipt. */
export function firstWithout(ranges: Ranges, seq: number): number {
  let next = seq
  for (let i = indexOf(ranges, seq); (ranges[i]?.from ?? next + 1) <= next; i++) {
    next = (ranges[i] as Range).to + 1
  }
  return next
}

/** Adds a number before the range at `i`. */
function insert(ranges: Range[], i: number, seq: number, at: number, nothingBetween: NothingBetween): void {
  const before = ranges[i - 1]
  const after = ranges[i]
  const meetsBefore = before !== undefined && nothingBetween(before.to, seq)
  const meetsAfter = after !== undefined && nothingBetween(seq, after.from)
  const from = meetsBefore ? before.to + 1 : seq
  const to = meetsAfter ? after.from - 1 : seq
  if (meetsBefore && Math.abs(at - before.at) <= SHARED_MS) before.to = to
  else if (meetsAfter && Math.abs(at - after.at) <= SHARED_MS) after.from = from
  else ranges.splice(i, 0, { from, to, at })
}

/** Merges the oldest touching ranges in one pass, until there are few enough. */
function compact(ranges: Range[]): void {
  let excess = ranges.length - MANY
  let end = 0
  for (let i = 1; i < ranges.length; i++) {
    const range = ranges[end] as Range
    const next = ranges[i] as Range
    if (excess > 0 && range.to + 1 === next.from) {
      range.to = next.to
      range.at = Math.max(range.at, next.at)
      excess -= 1
    } else {
      end += 1
      ranges[end] = next
    }
  }
  ranges.length = end + 1
  if (ranges.length > MOST) ranges.splice(0, ranges.length - MOST)
}

/** Index of the first range that ends at or after `seq`. */
function indexOf(ranges: Ranges, seq: number): number {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle] as Range).to >= seq) high = middle
    else low = middle + 1
  }
  return low
}

/** Encodes for storage: for each range the distance from the previous one, its length, and the time difference. */
export function packRanges(ranges: Ranges): Uint8Array {
  const bytes: number[] = []
  let seq = 0
  let time = 0
  for (const { from, to, at } of ranges) {
    pushNumber(bytes, from - seq)
    pushNumber(bytes, to - from)
    // Times of neighbours may decrease: even numbers are positive differences, odd ones negative.
    pushNumber(bytes, at >= time ? (at - time) * 2 : (time - at) * 2 - 1)
    seq = to
    time = at
  }
  return new Uint8Array(bytes)
}

/** Decodes the result of `packRanges`; null stands for no ranges. */
export function unpackRanges(packed: Uint8Array | null): Range[] {
  const ranges: Range[] = []
  if (packed === null) return ranges
  let next = 0
  const number = (): number => {
    let value = 0
    for (let unit = 1; ; unit *= 128) {
      const byte = packed[next++] as number
      value += (byte & 127) * unit
      if (byte < 128) return value
    }
  }
  let seq = 0
  let time = 0
  while (next < packed.length) {
    const from = seq + number()
    const to = from + number()
    const passed = number()
    const at = time + (passed % 2 === 0 ? passed / 2 : -(passed + 1) / 2)
    ranges.push({ from, to, at })
    seq = to
    time = at
  }
  return ranges
}

/** Seven bits per byte, the lowest first; the eighth bit is set if more bytes follow. */
function pushNumber(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}
