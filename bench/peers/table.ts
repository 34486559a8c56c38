/**
 * Table: the figures of one piece of work, for a terminal and for Markdown.
 */
import { peers } from './peers.ts'
import { isDisturbed, isLoadFull, medianOf, type Trial } from './results.ts'
import type { WorkRow } from './work-table.ts'

/** Behind a figure, and behind the name of a peer. */
export const FULL_LOAD = '*'
export const DISTURBED = '†'

type Cells = readonly string[]

export function cellsOf(
  work: WorkRow,
  trialsOf: Readonly<Record<string, readonly Trial[]>>,
  cores: number,
): { readonly head: Cells; readonly rows: readonly Cells[] } {
  const rows = Object.entries(trialsOf).map(([name, trials]) => {
    const label = peers[name]?.label ?? name
    const mark = trials.some((trial) => isDisturbed(trial, cores)) ? ` ${DISTURBED}` : ''
    const failed = trials.find(({ error }) => error !== undefined)
    const figures = work.columns.map(({ figure, digits, load }) => {
      const value = medianOf(trials, figure)
      if (value === null) return failed ? 'failed' : '–'
      return `${shown(value, digits)}${isLoadFull(trials, load) ? FULL_LOAD : ''}`
    })
    return [`${label}${mark}`, ...figures]
  })
  return { head: ['', ...work.columns.map(({ head }) => head)], rows }
}

/** For a terminal: columns of equal width, as narrow as their texts; a long head takes several lines. */
export function plainTable(head: Cells, rows: readonly Cells[]): string {
  const widths = head.map((_, i) =>
    Math.max(
      ...rows.map((row) => (row[i] ?? '').length),
      ...(head[i] ?? '').split(' ').map((word) => word.length),
    ),
  )
  const wrapped = head.map((text, i) => wrap(text, widths[i] as number))
  const height = Math.max(...wrapped.map((lines) => lines.length))
  const lines = Array.from({ length: height }, (_, line) =>
    wrapped.map((texts) => texts[line - (height - texts.length)] ?? ''),
  )
  return [...lines, ...rows]
    .map((row) =>
      row
        .map((cell, i) => pad(cell, widths[i] as number, i))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function markdownTable(head: Cells, rows: readonly Cells[]): string {
  const line = (cells: Cells) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

export function shown(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
