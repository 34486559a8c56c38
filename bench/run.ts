/**
 * Bench: starts the built server in a separate process, runs one case after the other in load
 * processes, prints the figures and stores them in `bench/results/`.
 *
 * Each round has a new server and data directory. The result is the median of the rounds, and for the
 * large group the ratio to bare uWebSockets.js, whose rounds alternate with those of Tertulia.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, hostname, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Figures } from './cases/case.ts'
import { Children, type RunningServer } from './children.ts'

const usage = `npm run bench -- [--quick] [--case NAME[,NAME]] [--runs N]

  --quick   shorter and one round each, same sizes: about three minutes in all
  --case    only these: connect, many-groups, small-groups, large-group, ingest, cost-growth, reading, search
  --runs    rounds of each case (3; with --quick 1)
  --server-arg=--cpu-prof
            an argument for the server's Node, for profiles; may be repeated
  --transport auto|uws|node
            what the server runs on; with node the large group shows the ratio to bare uWebSockets.js
`

/** A figure, its limit, and how it is compared. */
interface Bar {
  readonly figure: string
  readonly bar: string
  readonly met: (value: number) => boolean
}

const lost: Bar = { figure: 'lost', bar: '0', met: (value) => value === 0 }

const MAX_ROUNDS = 100

/** The limits of the cases. */
const bars: Readonly<Record<string, readonly Bar[]>> = {
  connect: [lost, { figure: 'KiB/connection', bar: '≤ 4', met: (value) => value <= 4 }],
  'many-groups': ['not loaded', 'loaded'].map((groups) => ({
    figure: `CPU ms, ${groups}`,
    bar: '≤ 5',
    met: (value: number) => value <= 5,
  })),
  'small-groups': [
    lost,
    { figure: 'missing', bar: '0', met: (value) => value === 0 },
    { figure: 'p50 ms', bar: '< 2', met: (value) => value < 2 },
    { figure: 'p99 ms', bar: '< 20', met: (value) => value < 20 },
  ],
  'large-group': [lost, { figure: 'of bare uWebSockets.js', bar: '≥ 0.95', met: (value) => value >= 0.95 }],
  ingest: [lost, { figure: 'of bare better-sqlite3', bar: '≥ 0.6', met: (value) => value >= 0.6 }],
  'cost-growth': [lost, { figure: 'least of most', bar: '≥ 0.8', met: (value) => value >= 0.8 }],
  reading: [lost, { figure: 'p99 factor', bar: '≤ 1.3', met: (value) => value <= 1.3 }],
  search: ['everywhere', 'in-500', 'in-20', 'one group'].map((caller) => ({
    figure: `${caller} p95 ms`,
    bar: '< 50',
    met: (value: number) => value < 50,
  })),
}

const values = readOptions()
const rounds = Number(values.runs ?? (values.quick ? 1 : 3))
const names = values.case.split(',')
const unknown = names.find((name) => !Object.hasOwn(bars, name))
if (unknown !== undefined) refuse(`no case "${unknown}"`)
if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= MAX_ROUNDS)) {
  refuse(`--runs takes a whole number from 1 to ${MAX_ROUNDS}`)
}

const children = new Children(values['server-arg'], values.transport)
// For every way to end: a signal, an error, or the last case.
process.on('exit', () => children.endAll())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

const machine = {
  date: new Date().toISOString(),
  commit: commit(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  quick: values.quick,
}
process.stdout.write(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}\n`)

const results: Record<string, { readonly rounds: Figures[]; readonly median: Figures }> = {}
try {
  for (const name of names) {
    const figures: Figures[] = []
    for (let round = 1; round <= rounds; round++) {
      process.stdout.write(`${name}, round ${round} of ${rounds} …\n`)
      figures.push(await runRound(name))
    }
    results[name] = { rounds: figures, median: median(figures) }
    print(name, results[name].median)
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

const folder = fileURLToPath(new URL('../../bench/results/', import.meta.url))
mkdirSync(folder, { recursive: true })
const file = `${folder}${machine.date.slice(0, 19).replaceAll(':', '')}-${hostname()}.json`
writeFileSync(file, `${JSON.stringify({ machine, results }, null, 2)}\n`)
process.stdout.write(`\nkept in ${file}\n`)
process.exit(0)

async function runRound(name: string): Promise<Figures> {
  if (name !== 'large-group') {
    const figures = await ask(name, await children.server())
    return name === 'small-groups'
      ? { ...figures, missing: (figures['expected'] ?? 0) - (figures['delivered'] ?? 0) }
      : figures
  }
  const own = await ask(name, await children.server())
  const bare = await ask(name, await children.peer('bare-uws-process'))
  const [ours = 0, theirs = 1] = [own['deliveries/s'], bare['deliveries/s']]
  return {
    ...own,
    'bare deliveries/s': theirs,
    'bare bytes/message': bare['bytes/message'] ?? 0,
    'bare server cores': bare['server cores'] ?? 0,
    'bare load cores': bare['load cores'] ?? 0,
    'bare other cores': bare['other cores'] ?? 0,
    'of bare uWebSockets.js': ours / theirs,
  }
}

async function ask(name: string, server: RunningServer): Promise<Figures> {
  const figures = await children.load(name, server, values.quick)
  await server.end()
  return figures
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        case: { type: 'string', default: Object.keys(bars).join(',') },
        runs: { type: 'string' },
        'server-arg': { type: 'string', multiple: true, default: [] },
        transport: { type: 'string', default: 'auto' },
        help: { type: 'boolean', default: false },
      },
    })
    if (!values.help) return values
  } catch (error) {
    refuse((error as Error).message)
  }
  process.stdout.write(usage)
  process.exit(0)
}

function refuse(why: string): never {
  process.stderr.write(`${why}\n\n${usage}`)
  process.exit(2)
}

function median(figures: readonly Figures[]): Figures {
  const names = Object.keys(figures[0] ?? {})
  return Object.fromEntries(
    names.map((name) => {
      const sorted = figures.map((figure) => figure[name] ?? Number.NaN).sort((a, b) => a - b)
      return [name, sorted[Math.floor((sorted.length - 1) / 2)] as number]
    }),
  )
}

function print(name: string, figures: Figures): void {
  process.stdout.write(`\n${name}${rounds > 1 ? `, median of ${rounds}` : ''}\n`)
  for (const [figure, value] of Object.entries(figures)) {
    const bar = bars[name]?.find((candidate) => candidate.figure === figure)
    const verdict = bar ? `   ${bar.met(value) ? 'meets' : 'MISSES'} ${bar.bar}` : ''
    const shown = value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 })
    process.stdout.write(`  ${figure.padEnd(24)}${shown.padStart(12)}${verdict}\n`)
  }
  process.stdout.write('\n')
}

function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const hash = git('rev-parse', '--short', 'HEAD').trim()
    const dirty = git('status', '--porcelain', '--untracked-files=no')
    return dirty === '' ? hash : `${hash} and changes`
  } catch {
    return 'unknown'
  }
}
