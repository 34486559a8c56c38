/**
 * Line chunks: reads a file of lines in parts of about 8 MiB, each of whole lines, so that a file of any size
 * uses the same memory. A line is UTF-8 and at most 1 MiB; only the last one may lack its line feed.
 */
import { isUtf8 } from 'node:buffer'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type ImportError, lineError } from './import-error.ts'

export const CHUNK_BYTES = 8 * 1_048_576
const MAX_LINE_BYTES = 1_048_576
const LINE_FEED = 10

export interface LineChunk {
  /** Read once, before the next chunk. @throws ImportError for a line that cannot be read */
  readonly lines: Iterable<string>
  /** The number of the first line; the file begins with 1. */
  readonly firstLine: number
  /** The part of the file up to the end of this chunk, 0 to 1. */
  readonly progress: number
}

/** @throws ImportError for a line that cannot be read, or the error of the file system */
export function* lineChunks(path: string): Generator<LineChunk> {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    let firstLine = 1
    let before = 0
    let filled = 0
    for (;;) {
      const read = readSync(file, buffer, filled, CHUNK_BYTES - filled, null)
      filled += read
      const isLast = read === 0
      if (isLast && filled === 0) return
      const end = isLast ? filled : buffer.lastIndexOf(LINE_FEED, filled - 1) + 1
      if (end === 0) {
        if (filled > MAX_LINE_BYTES) throw tooLong(firstLine)
        continue
      }
      const bytes = buffer.subarray(0, end)
      before += end
      yield { lines: linesOf(bytes, firstLine), firstLine, progress: Math.min(before / Math.max(size, 1), 1) }
      for (let at = 0; at < end; at++) {
        at = bytes.indexOf(LINE_FEED, at)
        if (at < 0) break
        firstLine += 1
      }
      buffer.copyWithin(0, end, filled)
      filled -= end
      if (isLast) return
    }
  } finally {
    closeSync(file)
  }
}

function* linesOf(bytes: Buffer, firstLine: number): Generator<string> {
  const isValid = isUtf8(bytes)
  let number = firstLine
  for (let start = 0; start < bytes.length; number++) {
    const next = bytes.indexOf(LINE_FEED, start)
    const end = next < 0 ? bytes.length : next
    if (end - start > MAX_LINE_BYTES) throw tooLong(number)
    if (!isValid && !isUtf8(bytes.subarray(start, end))) throw lineError(number, 'is not UTF-8')
    const line = bytes.toString('utf8', start, end)
    // A byte order mark at the start of the file.
    yield number === 1 && line.startsWith('\ufeff') ? line.slice(1) : line
    start = end + 1
  }
}

function tooLong(line: number): ImportError {
  return lineError(line, 'is longer than 1 MiB')
}
