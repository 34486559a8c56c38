/**
 * Fit rows: how many rows of a list go into one answer (SLW-1).
 *
 * No answer is larger than `limits.answerBytes`, in either encoding, so that it fits the buffer of a
 * connection that is already in use. A row counts as its JSON text, which is never smaller than its
 * msgpack. Rows come from an iterable, so that rows that do not fit are not built.
 */
import { limits } from '../../protocol/limits.ts'

/** The rest of an answer is left for its other fields. */
const ROWS_BYTES = limits.answerBytes - 40 * 1024

/** A page of a list. */
export interface FittedRows<T> {
  readonly rows: readonly T[]
  /** Whether at least one row did not fit. */
  readonly hasMore: boolean
}

/**
 * The first rows, at most `limit`, that fit into one answer; at least one if there is any. An answer
 * with several lists has `1 / lists` of the room for each. `bytesOf` is an upper bound of a row's size.
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

/** Whether one more row, after rows of `bytes`, exceeds one answer. */
export function isTooMuch(bytes: number, row: unknown): boolean {
  return bytes > 0 && bytes + wireBytes(row) > ROWS_BYTES
}

/** Whether all rows fit into one answer. */
export function allFit(rows: Iterable<unknown>): boolean {
  return !fitRows(rows, Number.POSITIVE_INFINITY).hasMore
}

/** Maps rows one by one, only as many as are consumed. */
export function* mapped<T, U>(rows: Iterable<T>, toRow: (row: T) => U): Generator<U> {
  for (const row of rows) yield toRow(row)
}

/** An upper bound of the bytes of a value in an answer. */
export function wireBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 1
}
