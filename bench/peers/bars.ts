/**
 * Bars: what Tertulia has to reach beside its peers, computed from the results of a run.
 */
import { medianOf, medianRatio, type Results, type Trial } from './results.ts'
import { shown } from './table.ts'

interface Bar {
  readonly text: string
  readonly work: string
  readonly figure: string
  /** The quotient of Tertulia's figure and this peer's; without it the figure itself. */
  readonly of?: string
  readonly min?: number
  readonly max?: number
}

const SUBJECT = 'tertulia'

const bars: readonly Bar[] = [
  {
    text: 'one group of 1,000, 16 in flight, of bare uWebSockets.js',
    work: 'large',
    figure: 'deliveries/s, 16',
    of: 'uws',
    min: 0.95,
  },
  {
    text: 'one group of 1,000, 16 in flight, of Socket.IO with ws',
    work: 'large',
    figure: 'deliveries/s, 16',
    of: 'socket.io',
    min: 8,
  },
  {
    text: 'one group of 1,000, 16 in flight, of NATS',
    work: 'large',
    figure: 'deliveries/s, 16',
    of: 'nats',
    min: 1.2,
  },
  { text: 'KiB of an idle connection', work: 'connect', figure: 'KiB', max: 4 },
  { text: 'the same, of Socket.IO with ws', work: 'connect', figure: 'KiB', of: 'socket.io', max: 0.35 },
  {
    text: 'connections/s, of bare uWebSockets.js',
    work: 'connect',
    figure: 'connections/s',
    of: 'uws',
    min: 0.5,
  },
  {
    text: 'connections/s, of Socket.IO with ws',
    work: 'connect',
    figure: 'connections/s',
    of: 'socket.io',
    min: 1,
  },
  {
    text: 'connections/s, of Socket.IO on uWebSockets.js',
    work: 'connect',
    figure: 'connections/s',
    of: 'socket.io-uws',
    min: 1,
  },
  { text: 'groups of 10 at 5,000/s, p50 ms', work: 'small', figure: 'p50 ms, 5000', max: 2 },
  { text: 'groups of 10 at 5,000/s, p99 ms', work: 'small', figure: 'p99 ms, 5000', max: 15 },
  { text: 'groups of 10 at 5,000/s, missing', work: 'small', figure: 'missing, 5000', max: 0 },
  { text: 'reconnect storm, s until all live', work: 'storm', figure: 's until all live', max: 10 },
  { text: 'jitter, lost', work: 'jitter', figure: 'lost', max: 0 },
  { text: 'jitter, twins', work: 'jitter', figure: 'twins', max: 0 },
  { text: 'jitter, p99 ms', work: 'jitter', figure: 'p99 ms', max: 2_500 },
  { text: 'deploy, lost', work: 'deploy', figure: 'lost', max: 0 },
]

/** A row for each bar whose work was done: text, figure, bar, verdict. */
export function barRows(results: Results): readonly (readonly string[])[] {
  return bars.flatMap((bar) => {
    const value = figureOf(bar, results[bar.work] ?? {})
    if (value === null) return []
    const isMet =
      value >= (bar.min ?? Number.NEGATIVE_INFINITY) && value <= (bar.max ?? Number.POSITIVE_INFINITY)
    const limit = bar.min === undefined ? `≤ ${bar.max}` : `≥ ${bar.min}`
    return [[bar.text, shown(value, value < 100 ? 2 : 0), limit, isMet ? 'meets' : 'MISSES']]
  })
}

function figureOf({ figure, of }: Bar, trialsOf: Readonly<Record<string, readonly Trial[]>>): number | null {
  const own = trialsOf[SUBJECT] ?? []
  return of === undefined ? medianOf(own, figure) : medianRatio(own, trialsOf[of] ?? [], figure)
}
