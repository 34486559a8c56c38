/**
 * Small groups: members in groups of 10, posts at 1,000, 5,000 and 20,000 a second on an open schedule, and
 * the highest rate at which the p99 stays under 50 ms and nothing is missing.
 *
 * After a rate that a peer cannot follow at all the higher ones are not tried. The highest rate is found by
 * halving between the last rate that held and the first that did not.
 */
import { PeerCrowd } from '../load/peer-crowd.ts'
import { prepare, wires } from '../load/wires.ts'
import { percentile, runSchedule } from './schedule.ts'
import type { Figures, WorkInput } from './work.ts'

const GROUP_SIZE = 10
const RATES = [1_000, 5_000, 20_000] as const
const MAX_P99_MS = 50
/** With a p99 above this, a higher rate shows nothing. */
const HOPELESS_P99_MS = 1_000
const SECONDS = 10
const QUICK_SECONDS = 2
const SEARCH_SECONDS = 3
const QUICK_SEARCH_SECONDS = 1
const SEARCH_STEPS = 4
const QUICK_SEARCH_STEPS = 2
const WARM_UP = { messagesASecond: 1_000, seconds: 1, groupSize: GROUP_SIZE, settleMs: 10_000 }

export async function smallGroupsWork(input: WorkInput): Promise<Figures> {
  const { pid, quick, connections } = input
  const seconds = input.seconds ?? (quick ? QUICK_SECONDS : SECONDS)
  const layout = { connections, groupSize: GROUP_SIZE }
  await prepare(input.wire, input, layout)
  const crowd = new PeerCrowd(input, wires[input.wire](input.secret), layout)
  await crowd.connect()
  const run = (messagesASecond: number, seconds: number) =>
    runSchedule(crowd, pid, { messagesASecond, seconds, groupSize: GROUP_SIZE, settleMs: 10_000 })
  await runSchedule(crowd, pid, WARM_UP)

  const figures: Record<string, number | null> = {}
  let good = 0
  let bad = Number.POSITIVE_INFINITY
  let isHopeless = false
  for (const rate of RATES) {
    if (isHopeless) break
    const { histogram, missing, usage, deliveries } = await run(rate, seconds)
    const p99 = percentile(histogram, 99)
    Object.assign(figures, {
      [`p50 ms, ${rate}`]: percentile(histogram, 50),
      [`p99 ms, ${rate}`]: p99,
      [`p99.9 ms, ${rate}`]: percentile(histogram, 99.9),
      [`missing, ${rate}`]: missing,
      [`CPU s/million, ${rate}`]: (usage.serverSeconds * 1e6) / deliveries,
      [`load cores, ${rate}`]: usage.loadCores,
      [`other cores, ${rate}`]: usage.otherCores,
    })
    if (missing === 0 && p99 <= MAX_P99_MS) good = rate
    else bad = Math.min(bad, rate)
    isHopeless = missing !== 0 || p99 > HOPELESS_P99_MS
  }
  for (
    let step = quick ? QUICK_SEARCH_STEPS : SEARCH_STEPS;
    step > 0 && bad < Number.POSITIVE_INFINITY;
    step--
  ) {
    const rate = Math.round((good + bad) / 200) * 100
    const { histogram, missing } = await run(rate, quick ? QUICK_SEARCH_SECONDS : SEARCH_SECONDS)
    if (missing === 0 && percentile(histogram, 99) <= MAX_P99_MS) good = rate
    else bad = rate
  }
  figures['highest rate'] = good
  figures['closed'] = crowd.closed
  crowd.end()
  return figures
}
