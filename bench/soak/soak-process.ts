/**
 * Soak process: connects the clients and posts on schedule, one interval after the other; reports each
 * interval to the runner as it ends.
 */
import { residentBytes } from '../load/process-figures.ts'
import { PeerCrowd, type Place } from '../peers/load/peer-crowd.ts'
import { prepare, wires } from '../peers/load/wires.ts'
import { percentile, runSchedule } from '../peers/works/schedule.ts'

export interface SoakInput extends Place {
  readonly pid: number
  readonly connections: number
  readonly messagesASecond: number
  readonly intervals: number
  readonly secondsAnInterval: number
}

/** One interval. */
export interface Interval {
  readonly rssMiB: number
  readonly p50: number
  readonly p99: number
  readonly missing: number
  readonly loadCores: number
  readonly otherCores: number
}

const WIRE = 'tertulia-msgpack'
const GROUP_SIZE = 10
const SETTLE_MS = 20_000

process.on('disconnect', () => process.exit(1))

const input = JSON.parse(process.argv[2] ?? '{}') as SoakInput
const { pid, connections, messagesASecond, intervals, secondsAnInterval } = input
const layout = { connections, groupSize: GROUP_SIZE }
await prepare(WIRE, input, layout)
const crowd = new PeerCrowd(input, wires[WIRE](), layout)
await crowd.connect()
const schedule = { messagesASecond, seconds: secondsAnInterval, groupSize: GROUP_SIZE, settleMs: SETTLE_MS }
for (let i = 0; i < intervals; i++) {
  const { histogram, missing, usage } = await runSchedule(crowd, pid, schedule)
  const interval: Interval = {
    rssMiB: residentBytes(pid) / 2 ** 20,
    p50: percentile(histogram, 50),
    p99: percentile(histogram, 99),
    missing: missing + crowd.closed,
    loadCores: usage.loadCores,
    otherCores: usage.otherCores,
  }
  process.send?.(interval)
}
crowd.end()
process.send?.('done', () => process.exit(0))
