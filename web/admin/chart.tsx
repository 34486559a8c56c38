/**
 * Chart: lines over the last five minutes, drawn by uPlot.
 *
 * The legend has the values of now, or of the moment under the pointer, which is the same in all charts.
 * A canvas says nothing to a screen reader: the figure has the legend as text, and a table with the least,
 * mean and greatest value of each line.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useAdmin } from './admin-context.ts'
import { WINDOW_SECONDS } from './live-feed.ts'
import type { Row } from './series.ts'

export interface Line {
  readonly key: string
  readonly label: string
}

interface ChartProps {
  readonly title: string
  readonly note?: string | undefined
  readonly lines: readonly Line[]
  readonly rows: readonly Row[]
  readonly format: (value: number | null | undefined) => string
}

const HEIGHT = 150
/** The charts begin with a minute, and grow to the whole window. */
const MIN_SECONDS = 60
const COLOURS = 7
/** Lines differ by their dashes too, where colours cannot be told apart. */
const dashes = [[], [6, 3], [2, 3], [10, 4], [6, 3, 2, 3], [3, 3], [12, 3, 2, 3]]

export function Chart({ title, note, lines, rows, format }: ChartProps) {
  const { texts } = useAdmin()
  const [at, setAt] = useState<number | null>(null)
  const place = useChart(lines, rows, format, setAt)
  const row = rows[at ?? rows.length - 1]
  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        <ul class="legend">
          {lines.map(({ key, label }, i) => (
            <li key={key} class={`line-${i % COLOURS}`}>
              <span class="soft">{label}</span> <strong>{format(row?.[key])}</strong>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="plot" aria-hidden="true" />
      {note !== undefined && <p class="soft small">{note}</p>}
      <details>
        <summary>{texts.asTable}</summary>
        <LinesTable title={title} lines={lines} rows={rows} format={format} />
      </details>
    </figure>
  )
}

function LinesTable({ title, lines, rows, format }: Omit<ChartProps, 'note'>) {
  const { texts } = useAdmin()
  return (
    <div class="scroll">
      <table>
        <caption class="visually-hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{texts.series}</th>
            {[texts.now, texts.least, texts.mean, texts.most].map((head) => (
              <th key={head} scope="col" class="number">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ key, label }) => {
            const values = rows.map((row) => row[key]).filter((value) => typeof value === 'number')
            const mean = values.reduce((sum, value) => sum + value, 0) / values.length
            const isEmpty = values.length === 0
            return (
              <tr key={key}>
                <th scope="row">{label}</th>
                <td class="number">{format(rows.at(-1)?.[key])}</td>
                <td class="number">{format(isEmpty ? null : Math.min(...values))}</td>
                <td class="number">{format(isEmpty ? null : mean)}</td>
                <td class="number">{format(isEmpty ? null : Math.max(...values))}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** Draws into the element that gets the returned ref. */
function useChart(
  lines: readonly Line[],
  rows: readonly Row[],
  format: ChartProps['format'],
  onHover: (at: number | null) => void,
) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const { theme, format: dates } = useAdmin()
  const keys = lines.map(({ key }) => key)
  const shape = `${theme} ${dates.locale} ${keys.join()}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the lines and the theme.
  useEffect(() => {
    const element = place.current
    if (!element) return
    const drawn = new uPlot(options(element, keys, format, dates.time, onHover), dataOf(keys, rows), element)
    chart.current = drawn
    const resized = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      drawn.destroy()
      chart.current = null
    }
  }, [shape])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows change with every poll, the keys with `shape`.
  useEffect(() => chart.current?.setData(dataOf(keys, rows)), [rows])
  return place
}

function dataOf(keys: readonly string[], rows: readonly Row[]): uPlot.AlignedData {
  return [rows.map(({ at }) => at), ...keys.map((key) => rows.map((row) => row[key] ?? null))]
}

function windowOf(first: number, last: number): [number, number] {
  return [Math.max(last - WINDOW_SECONDS, Math.min(first, last - MIN_SECONDS)), last]
}

function options(
  element: HTMLElement,
  keys: readonly string[],
  format: ChartProps['format'],
  time: (ms: number) => string,
  onHover: (at: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const font = `12px ${style.fontFamily}`
  const axis = { stroke: colour('--text-soft'), font, ticks: { show: false } }
  const isDashed = colour('--dashed') === '1'
  return {
    width: Math.max(1, element.clientWidth),
    height: HEIGHT,
    padding: [8, 30, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'figures' }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { range: (_, first, last) => windowOf(first ?? 0, last ?? 0) },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        space: 70,
        values: (_, at) => at.map((one) => time(one * 1_000)),
      },
      {
        ...axis,
        grid: { stroke: colour('--line'), width: 1 },
        space: 36,
        size: (_, values) => 14 + 7 * Math.max(2, ...(values ?? []).map((value) => value.length)),
        values: (_, at) => at.map((one) => format(one)),
      },
    ],
    series: [
      {},
      ...keys.map((_, i) => ({
        stroke: colour(`--line-${i % COLOURS}`),
        width: 1.75,
        points: { show: false },
        ...(isDashed && { dash: dashes[i % COLOURS] ?? [] }),
        ...(keys.length === 1 && { fill: `${colour(`--line-${i % COLOURS}`)}22` }),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => onHover(cursor.idx ?? null)] },
  }
}
