/**
 * Document number: begins with the time of the document's message. FTS5 therefore returns hits newest
 * first, and a range of times is a range of numbers.
 */

/** Documents per millisecond. A time multiplied by this is a safe integer until 2109. */
const SLOTS = 2_048
/** The last millisecond that a number can represent. */
const MAX_TIME = Math.floor(Number.MAX_SAFE_INTEGER / SLOTS) - 1

/** The lowest number of a millisecond. */
export function firstNumber(ms: number): number {
  return Math.min(ms, MAX_TIME) * SLOTS
}

/** The millisecond that a document's number begins with: that of its message, or a later one. */
export function msOf(document: number): number {
  return Math.floor(document / SLOTS)
}

/** The lowest number above all documents of a millisecond. */
export function numbersAbove(ms: number): number {
  return (Math.min(ms, MAX_TIME) + 1) * SLOTS
}
