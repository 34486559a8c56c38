/**
 * Ranges of seqs, inclusive, ascending and apart: the parts of a group's log that are known.
 */
export type SeqRange = readonly [from: number, to: number]

/** The ranges with one more, joined with those that it overlaps or touches. */
export function joinRange(ranges: readonly SeqRange[], [from, to]: SeqRange): readonly SeqRange[] {
  const apart = ranges.filter((range) => range[1] < from - 1 || range[0] > to + 1)
  const joined = ranges.filter((range) => !apart.includes(range))
  const all: SeqRange = [
    Math.min(from, ...joined.map((range) => range[0])),
    Math.max(to, ...joined.map((range) => range[1])),
  ]
  return [...apart, all].sort((a, b) => a[0] - b[0])
}

/** The range that contains a seq. */
export function rangeOf(ranges: readonly SeqRange[], seq: number): SeqRange | undefined {
  return ranges.find(([from, to]) => from <= seq && seq <= to)
}

/** The ranges from a seq on. */
export function rangesFrom(ranges: readonly SeqRange[], first: number): readonly SeqRange[] {
  return ranges.filter(([, to]) => to >= first).map(([from, to]) => [Math.max(from, first), to])
}
