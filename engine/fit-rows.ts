/**
 * Fit rows: how many rows of a list go into one answer (SLW-1).
 *
 * No answer is larger than `limits.answerBytes`, in either encoding, so that it fits the buffer of a
 * connection that is already in use. A row counts as its JSON text, which is never smaller than its
 * msgpack. Rows are taken from an iterable, so that those that do not fit need not be made.
 */
import { limits } from '../protocol/limits.ts'

/** The rest of an answer is for its other fields. */
const ROWS_BYTES = limits.answerBytes - 40 * 1024

/** A page of a list. */
export interface FittedRows<T> {
  readonly rows: readonly T[]
  /** Whether there was a row for which there was no room. */
  readonly hasMore: boolean
}

/**
 * The first rows, at most `limit` of them, that fit into one answer; at least one where there is one.
 * An answer with several lists has room for `1 / lists` of that in each. `bytesOf` says what a row takes,
 * at most.
 */
export function fitRows<T>(
  all: Iterable<T>,
  limit: number,
  lists = 1,
  bytesOf: (row: T) => number = wireBytes,
): FittedRows<T> {
  const rows: T[] = []
  let bytes = 0
  for (const row of all) {
    bytes += bytesOf(row)
    if (rows.length === limit || (rows.length > 0 && bytes > ROWS_BYTES / lists))
      return { rows, hasMore: true }
    rows.push(row)
  }
  return { rows, hasMore: false }
}

/** Whether one row more, after rows of `bytes`, is too much for one answer. */
export function isTooMuch(bytes: number, row: unknown): boolean {
  return bytes > 0 && bytes + wireBytes(row) > ROWS_BYTES
}

/** Whether all rows fit into one answer. */
export function allFit(rows: Iterable<unknown>): boolean {
  return !fitRows(rows, Number.POSITIVE_INFINITY).hasMore
}

/** The rows made of others one by one, as far as they are asked for. */
export function* mapped<T, U>(rows: Iterable<T>, toRow: (row: T) => U): Generator<U> {
  for (const row of rows) yield toRow(row)
}

/** How many bytes a value takes in an answer, at most. */
export function wireBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 1
}
