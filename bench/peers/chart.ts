/**
 * Chart: bars by peer as an SVG text, by Observable Plot on a document without a browser.
 */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { peers } from './peers.ts'
import { medianOf, type Trial } from './results.ts'
import { shown } from './table.ts'
import type { ChartPlan } from './work-table.ts'

const WIDTH = 760
const BAR_HEIGHT = 22
const MARGIN = { marginRight: 130, marginTop: 40, marginBottom: 40 }
const LABEL_WIDTH = 190
const CHARACTER_WIDTH = 6.6
const OWN = '#b4540a'
const OTHERS = '#8a94a0'
/** Charts are read on light and dark pages. */
const BACKGROUND = '#ffffff'
const INK = '#20262c'

interface Bar {
  readonly peer: string
  readonly part: string
  readonly value: number
  readonly isOwn: boolean
}

/** Null if there are no figures. */
export function chartOf(
  { title, figures, unit, isLogarithmic = false }: ChartPlan,
  trialsOf: Readonly<Record<string, readonly Trial[]>>,
): string | null {
  const bars = Object.entries(trialsOf).flatMap(([name, trials]) =>
    figures.flatMap(({ figure, name: part }): Bar[] => {
      const value = medianOf(trials, figure)
      const peer = (peers[name]?.label ?? name).replaceAll('`', '')
      return value === null ? [] : [{ peer, part, value, isOwn: name.startsWith('tertulia') }]
    }),
  )
  if (bars.length === 0) return null
  const { document } = parseHTML('<html></html>')
  const order = [...new Set(bars.map(({ peer }) => peer))]
  const longest = Math.max(...order.map((peer) => peer.length))
  const marginLeft = Math.max(LABEL_WIDTH, Math.ceil(longest * CHARACTER_WIDTH) + 10)
  const least = isLogarithmic ? Math.min(1, ...bars.map(({ value }) => Math.max(value, 0.1))) : 0
  const svg = Plot.plot({
    // The parts of a document that Plot uses.
    document: document as unknown as Document,
    ariaLabel: title,
    width: WIDTH,
    height: MARGIN.marginTop + MARGIN.marginBottom + bars.length * BAR_HEIGHT + order.length * 6,
    ...MARGIN,
    marginLeft,
    style: { background: BACKGROUND, color: INK, fontSize: '12px' },
    x: { label: unit, grid: true, type: isLogarithmic ? 'log' : 'linear', ticks: 6 },
    y: { label: null, axis: null, domain: figures.map(({ name }) => name) },
    fy: { label: null, domain: order, padding: 0.15, axis: 'left' },
    marks: [
      Plot.barX(bars, {
        fy: 'peer',
        y: 'part',
        x1: least,
        x2: (bar: Bar) => Math.max(bar.value, least),
        fill: (bar: Bar) => (bar.isOwn ? OWN : OTHERS),
        insetTop: 1,
      }),
      Plot.text(bars, {
        fy: 'peer',
        y: 'part',
        x: (bar: Bar) => Math.max(bar.value, least),
        text: (bar: Bar) => `${shown(bar.value, bar.value < 100 ? 1 : 0)}${bar.part && ` (${bar.part})`}`,
        textAnchor: 'start',
        dx: 4,
      }),
      Plot.text([title], {
        facet: 'super',
        frameAnchor: 'top-left',
        dy: -28,
        dx: 10 - marginLeft,
        fontSize: 14,
        fontWeight: 'bold',
      }),
    ],
  })
  svg.setAttribute('role', 'img')
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return `${svg.outerHTML}\n`
}
