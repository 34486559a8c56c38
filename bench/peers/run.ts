/**
 * Peers bench: the same work with Tertulia and with what could be used instead.
 *
 * In each round every peer does the work once, one after the other, each time with a fresh server and a fresh
 * load process: A B A B. A trial during which other programs used more than 5 % of the machine is repeated, a
 * limited number of times. Medians of the rounds are printed, and with `--write` become docs/BENCHMARKS.md.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, hostname, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Children } from '../children.ts'
import { barRows } from './bars.ts'
import type { RunFacts } from './document.ts'
import { peers } from './peers.ts'
import { isDisturbed, othersShare, type Results, type Trial } from './results.ts'
import { cellsOf, DISTURBED, FULL_LOAD, plainTable } from './table.ts'
import { runTrial } from './trial.ts'
import { workTable } from './work-table.ts'

const MAX_ROUNDS = 100
const MAX_CONNECTIONS = 19_000
const cores = cpus().length
const workProcess = fileURLToPath(new URL('./work-process.js', import.meta.url))

const usage = `npm run bench:peers -- [--quick] [--only WORK[,WORK]] [--peer NAME[,NAME]] [--connections N] [--write]

  --quick         one shorter round each: about twenty minutes in all
  --only          only this work: ${Object.keys(workTable).join(', ')}
  --peer          only these: ${Object.keys(peers).join(', ')}
  --connections   of connect, small and storm, 20 to ${MAX_CONNECTIONS} (10000; with --quick 5000)
  --seconds       the measured time of each part of large, small, slow, jitter and deploy, 0.1 to 600
  --rounds        1 to ${MAX_ROUNDS} (3; with --quick 1)
  --repeats       how often a disturbed trial is repeated at most, 0 to 9 (2)
  --write         writes docs/BENCHMARKS.md with its charts, and all rounds to bench/results/
`

const { values } = readOptions()
const workNames = namesOf(values.only, workTable, 'work')
const peerNames = namesOf(values.peer, peers, 'peer')
const rounds = wholeNumber('rounds', values.rounds ?? (values.quick ? '1' : '3'), 1, MAX_ROUNDS)
const repeats = wholeNumber('repeats', values.repeats, 0, 9)
const connections = wholeNumber(
  'connections',
  values.connections ?? (values.quick ? '5000' : '10000'),
  20,
  MAX_CONNECTIONS,
)
const seconds = values.seconds === undefined ? null : Number(values.seconds)
if (seconds !== null && !(seconds >= 0.1 && seconds <= 600)) refuse('--seconds must be from 0.1 to 600')

const children = new Children([], 'auto')
// For every way to end: a signal, an error, or the last trial.
process.on('exit', () => children.endAll())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

const versions = Object.fromEntries(peerNames.map((name) => [name, peers[name]?.version() ?? null]))
const present = peerNames.filter((name) => versions[name] !== null)
const facts: RunFacts = {
  date: new Date().toISOString(),
  commit: commit(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release()}`,
  node: process.version,
  rounds,
  connections,
  command: `npm run bench:peers -- ${process.argv.slice(2).join(' ')}`.trim(),
  versions,
}
say(`${facts.cpu}, ${cores} cores, ${facts.system}, Node ${facts.node}, ${facts.date}`)
for (const name of peerNames) {
  const version = versions[name]
  say(
    `  ${peers[name]?.label}: ${version ?? 'not installed, left out (Debian: apt-get install nats-server mosquitto)'}`,
  )
}

const results: Results = {}
let failures = 0
for (const work of workNames) {
  const ofWork = Object.fromEntries(
    present.filter((name) => doesWork(name, work)).map((name) => [name, [] as Trial[]]),
  )
  results[work] = ofWork
  for (let round = 1; round <= rounds; round++) {
    for (const name of Object.keys(ofWork)) ofWork[name]?.push(await trial(work, name, round))
  }
  print(work)
}
const bars = barRows(results)
if (bars.length > 0)
  say(`\nTertulia with msgpack clients beside its peers\n${plainTable(['', 'figure', 'bar', ''], bars)}`)
if (values.write) {
  store()
  // The plotting library takes a second to load.
  const { writeDocument } = await import('./document.ts')
  say(`written: ${writeDocument(results, facts)}`)
}
process.exit(failures > 0 ? 1 : 0)

async function trial(work: string, name: string, round: number): Promise<Trial> {
  const row = workTable[work]
  const peer = peers[name]
  if (!row || !peer) throw new Error(`no ${work} with ${name}`)
  for (let attempt = 0; ; attempt++) {
    const startedAt = performance.now()
    let result: Trial
    try {
      result = {
        figures: await runTrial(children, {
          peer,
          work,
          row,
          workProcess,
          connections,
          quick: values.quick,
          seconds,
        }),
      }
    } catch (error) {
      failures += 1
      const text = error instanceof Error ? error.message : String(error)
      say(`${work}, round ${round} of ${rounds}: ${name} failed: ${text}`)
      return { figures: {}, error: text }
    }
    const took = ((performance.now() - startedAt) / 1_000).toFixed(1)
    const share = `${(othersShare(result, cores) * 100).toFixed(0)} %`
    const isAgain = isDisturbed(result, cores) && attempt < repeats
    const more = isDisturbed(result, cores)
      ? `; others used ${share} of the machine${isAgain ? ', again' : ''}`
      : ''
    say(`${work}, round ${round} of ${rounds}: ${name}, ${took} s${more}`)
    if (!isAgain) return result
  }
}

function doesWork(name: string, work: string): boolean {
  const only = peers[name]?.only
  return only === undefined || only === work
}

function print(work: string): void {
  const row = workTable[work]
  if (!row) return
  const { head, rows } = cellsOf(row, results[work] ?? {}, cores)
  say(`\n${row.title}${rounds > 1 ? `, medians of ${rounds}` : ''}\n${plainTable(head, rows)}`)
  const text = rows.flat().join()
  if (text.includes(FULL_LOAD))
    say(`${FULL_LOAD} the load used more than 90 % of a core and may be the limit`)
  if (text.includes(DISTURBED)) say(`${DISTURBED} others used more than 5 % of the machine`)
  say('')
}

function store(): void {
  const folder = fileURLToPath(new URL('../../../bench/results/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  const file = `${folder}${facts.date.slice(0, 19).replaceAll(':', '')}-${hostname()}-peers.json`
  writeFileSync(file, `${JSON.stringify({ facts, results }, null, 2)}\n`)
  say(`\nall rounds: ${file}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function namesOf(
  given: string | undefined,
  table: Readonly<Record<string, unknown>>,
  what: string,
): readonly string[] {
  const names = given?.split(',') ?? Object.keys(table)
  const unknown = names.find((name) => !Object.hasOwn(table, name))
  if (unknown !== undefined) refuse(`no ${what} "${unknown}"`)
  return names
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!(Number.isInteger(value) && value >= min && value <= max)) {
    refuse(`--${name} must be a whole number from ${min} to ${max}, not "${text}"`)
  }
  return value
}

function readOptions() {
  try {
    const options = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        peer: { type: 'string' },
        connections: { type: 'string' },
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        repeats: { type: 'string', default: '2' },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (!options.values.help) return options
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

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
