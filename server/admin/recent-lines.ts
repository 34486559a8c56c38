/**
 * Recent lines: the last lines of the log, level info and above, for the dashboard.
 *
 * The lines are those that were written, so they contain no tokens. Bounded: `MAX_LINES` lines of at most
 * `MAX_CHARS` characters; the oldest is dropped.
 */

const MAX_LINES = 200
const MAX_CHARS = 4_096
/** pino begins a line with its level, as a number of two digits: 30 is info. */
const LEVEL_AT = '{"level":'.length

/** Lines with increasing numbers; `next` is the number of the next line. */
export interface LinesAfter {
  readonly next: number
  readonly lines: readonly string[]
}

/** What the dashboard reads of a log. */
export interface LogLines {
  /** The number of the next line. */
  readonly next: number
  /** The stored lines from number `from` on, the oldest first. */
  from(from: number): LinesAfter
}

export class RecentLines implements LogLines {
  readonly #lines: string[] = []
  #next = 0

  get next(): number {
    return this.#next
  }

  /** Adds a line that was written; debug and trace are not stored. */
  add(line: string): void {
    const level = line[LEVEL_AT] ?? ''
    if (level < '3') return
    this.#lines[this.#next % MAX_LINES] = line.slice(0, MAX_CHARS).trimEnd()
    this.#next += 1
  }

  from(from: number): LinesAfter {
    const lines: string[] = []
    for (let at = Math.max(from, this.#next - MAX_LINES, 0); at < this.#next; at++) {
      lines.push(this.#lines[at % MAX_LINES] as string)
    }
    return { next: this.#next, lines }
  }
}
