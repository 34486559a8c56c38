/**
 * Record chunk: the records of a part of a file, validated.
 */
import { ImportError } from './import-error.ts'
import { type LineRecord, parseRecord } from './import-record.ts'
import type { LineChunk } from './line-chunks.ts'

/** Errors that one run reports. */
const MAX_ERRORS = 10

export interface RecordChunk {
  /** The number of the first line; the file begins with 1. */
  readonly firstLine: number
  /** The part of the file up to the end of this chunk, 0 to 1. */
  readonly progress: number
  /** The records before the first line that is not valid. */
  readonly records: readonly LineRecord[]
  /** The first lines that are not valid, and why; empty if all are. */
  readonly errors: string
}

/** Reads and validates the lines. After an error only further errors are looked for. */
export function recordChunk({ lines, firstLine, progress }: LineChunk, now: number): RecordChunk {
  const records: LineRecord[] = []
  const errors: string[] = []
  let line = firstLine - 1
  try {
    for (const text of lines) {
      line += 1
      if (text.trim() === '') continue
      const record = parseRecord(text, now)
      if (typeof record === 'string') errors.push(`line ${line}: ${record}`)
      else if (errors.length === 0) records.push({ record, line })
      if (errors.length === MAX_ERRORS) break
    }
  } catch (error) {
    if (!(error instanceof ImportError)) throw error
    errors.push(error.message)
  }
  return { firstLine, progress, records, errors: errors.join('\n') }
}
