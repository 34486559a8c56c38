/**
 * Soak: a server under a constant load for an hour, or as many minutes as wanted.
 *
 * It shows whether memory grows and whether latency drifts. The first sixth of the time is for warming up; of
 * the rest, the resident set of the first quarter is compared with that of the last one, and the p99 likewise
 * (medians). It ends by itself, with a verdict: 0 if all bars are met, else 1.
 */
import { once } from 'node:events'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Children } from '../children.ts'
import type { Interval, SoakInput } from './soak-process.ts'

const usage = `npm run bench:soak -- [--minutes N] [--rate N] [--connections N]

  --minutes       1 to 1440 (60); an hour writes about 5 GB to the folder for temporary files
  --rate          messages a second, 10 to 20000 (2000)
  --connections   in groups of ten, 20 to 19000 (1000)
`
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '1000' },
    help: { type: 'boolean', default: false },
  },
})
const [minutes, rate, connections] = [values.minutes, values.rate, values.connections].map(Number) as [
  number,
  number,
  number,
]
const isValid =
  minutes >= 1 &&
  minutes <= 1_440 &&
  rate >= 10 &&
  rate <= 20_000 &&
  connections >= 20 &&
  connections <= 19_000
if (values.help || !isValid) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

const WARM_UP = 1 / 6
const MAX_GROWTH = 0.02
/** A p99 that is 1.25 times as long, and more than a millisecond longer, has drifted. */
const MAX_DRIFT = 1.25
const MAX_DRIFT_MS = 1

// A minute, or less where the whole run is short: there are at least 24 intervals.
const secondsAnInterval = Math.min(60, (minutes * 60) / 24)
const intervals = Math.round((minutes * 60) / secondsAnInterval)

const children = new Children([], 'auto')
process.on('exit', () => children.endAll())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

say(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`)
say(
  `${minutes} minutes, ${rate} messages/s, ${connections} connections in groups of 10, ${intervals} intervals`,
)
const server = await children.server()
const input: SoakInput = {
  pid: server.pid,
  port: server.port,
  secret: server.secret,
  connections,
  messagesASecond: rate,
  intervals,
  secondsAnInterval,
}
const load = children.fork(fileURLToPath(new URL('./soak-process.js', import.meta.url)), [
  JSON.stringify(input),
])
const seen: Interval[] = []
load.on('message', (said: Interval | 'done') => {
  if (said === 'done') return
  seen.push(said)
  const at = ((seen.length * secondsAnInterval) / 60).toFixed(1)
  const other =
    said.otherCores > 0.05 * cpus().length ? `, others used ${said.otherCores.toFixed(2)} cores` : ''
  say(
    `${at.padStart(6)} min  RSS ${said.rssMiB.toFixed(0)} MiB  p50 ${said.p50.toFixed(2)} ms  p99 ${said.p99.toFixed(2)} ms  missing ${said.missing}${other}`,
  )
})
const [code] = await Promise.race([once(load, 'exit'), server.alive])
if (code !== 0 || seen.length < intervals) {
  say(`the load ended with ${code} after ${seen.length} of ${intervals} intervals\n${server.lastLines()}`)
  process.exit(1)
}
await server.end()

const measured = seen.slice(Math.round(intervals * WARM_UP))
const quarter = Math.max(1, Math.floor(measured.length / 4))
const [first, last] = [measured.slice(0, quarter), measured.slice(-quarter)]
const [rssBefore, rssAfter] = [median(first, 'rssMiB'), median(last, 'rssMiB')]
const [p99Before, p99After] = [median(first, 'p99'), median(last, 'p99')]
const missing = seen.reduce((sum, interval) => sum + interval.missing, 0)
const growth = rssAfter / rssBefore - 1
const verdicts = [
  verdict(
    `RSS ${rssBefore.toFixed(0)} -> ${rssAfter.toFixed(0)} MiB, ${(growth * 100).toFixed(1)} %`,
    'under 2 %',
    growth < MAX_GROWTH,
  ),
  verdict(
    `p99 ${p99Before.toFixed(2)} -> ${p99After.toFixed(2)} ms`,
    'no drift',
    p99After <= Math.max(p99Before * MAX_DRIFT, p99Before + MAX_DRIFT_MS),
  ),
  verdict(`missing ${missing}`, '0', missing === 0),
]
process.exit(verdicts.every((isMet) => isMet) ? 0 : 1)

function verdict(figure: string, bar: string, isMet: boolean): boolean {
  say(`${figure.padEnd(44)} ${isMet ? 'meets' : 'MISSES'} ${bar}`)
  return isMet
}

function median(list: readonly Interval[], figure: keyof Interval): number {
  const sorted = list.map((interval) => interval[figure]).sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] as number
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
