/**
 * Micro benchmarks: the parts that handle every message, each alone, in one process.
 *
 * They help to find the cause if a result of the bench has changed; they do not predict the whole
 * system. Suites run one after the other and remove their files; Ctrl-C ends the run after
 * the current task.
 */
import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Bench } from 'tinybench'
import { batchSuite } from './batch-suite.ts'
import { codecSuite } from './codec-suite.ts'
import { handlerSuite } from './handler-suite.ts'
import type { MicroSuite, MicroTask } from './micro-task.ts'
import { storageSuite } from './storage-suite.ts'

const HELP = `npm run bench:micro -- [--only WORD] [--time MS]

  --only WORD   only tasks whose name holds the word, such as new_message, batch, storage
  --time MS     how long each is run (1000)`

const DEFAULT_TIME_MS = '1000'
const LONGEST_TIME_MS = 60_000
/** Long enough for the event loop to handle signals. */
const BREATH_MS = 5
const NANOSECONDS = 1_000_000

const suites: readonly (() => MicroSuite)[] = [
  codecSuite,
  batchSuite,
  handlerSuite,
  () => storageSuite('process'),
  () => storageSuite('disk'),
]

process.exitCode = await main()

async function main(): Promise<number> {
  const options = readOptions()
  if (typeof options === 'number') return options
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}\n`)
  console.log(line('one of', 'ns', 'a second', '± %'))
  for (const makeSuite of suites) {
    const suite = makeSuite()
    try {
      for (const task of suite.tasks) {
        if (!task.name.includes(options.only)) continue
        await measure(task, options.timeMs)
        // Tasks are synchronous: Ctrl-C is handled only between them.
        await delay(BREATH_MS)
        if (stop.signal.aborted) return 130
      }
    } finally {
      suite.end()
    }
  }
  return 0
}

/** The options, or the exit code for help and for wrong arguments. */
function readOptions(): { readonly only: string; readonly timeMs: number } | number {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', default: '' },
        time: { type: 'string', default: DEFAULT_TIME_MS },
        help: { type: 'boolean', default: false },
      },
    })
    const timeMs = Number(values.time)
    if (!(timeMs >= 1 && timeMs <= LONGEST_TIME_MS)) throw new RangeError('--time takes 1 to 60000')
    if (!values.help) return { only: values.only, timeMs }
    console.log(HELP)
    return 0
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return 2
  }
}

async function measure(task: MicroTask, timeMs: number): Promise<void> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4, throws: true })
  const { prepare } = task
  bench.add(task.name, task.run, prepare ? { beforeEach: () => prepare() } : {})
  await bench.run()
  const [result] = bench.results
  if (result?.state !== 'completed') return
  const { p50, rme } = result.latency
  const nanoseconds = (p50 * NANOSECONDS) / task.operations
  console.log(line(task.name, shown(nanoseconds), shown(1e9 / nanoseconds), rme.toFixed(1)))
}

function shown(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 })
}

function line(name: string, nanoseconds: string, perSecond: string, error: string): string {
  return `${name.padEnd(56)}${nanoseconds.padStart(10)}${perSecond.padStart(14)}${error.padStart(8)}`
}
