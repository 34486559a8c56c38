/**
 * Fronts bench: a server with fronts under the load of several processes.
 *
 * `connections` connects many clients and measures what they cost, idle and in groups. `engine-kill` kills the
 * engine again and again, `deploy` replaces everything again and again, both while the clients chat.
 */
import { execFile, fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { Children, type RunningServer, serverMain } from '../children.ts'
import { until } from '../load/crowd.ts'
import { allFrontsServe, coresOf, fleetBytes, fleetPids } from './fleet-processes.ts'
import { GROUP_SIZE, type Verdict } from './talkers.ts'
import type { TalkersInput, Task } from './talkers-process.ts'

const usage = `npm run bench:fronts -- [--case NAME[,NAME]] [--connections N] [--fronts N] [--rounds N] [--rate N] [--seconds N] [--transport T]

  --case         connections (100,000 over 6 fronts), engine-kill, deploy (10,000 over 2 fronts); all by default
  --connections  of each of these cases; a multiple of 10
  --fronts       front processes
  --rounds       kills of the engine (20), deployments (10)
  --rate         messages a second in all groups together (1,000)
  --seconds      of messages in connections (20), and of idleness before each measurement of the engine (20)
  --files        open files of one process (ulimit -n): the load uses as many processes as it needs
  --transport    auto, uws or node
`

const SPARE_FILES = 500
const WARM_UP = 500
const IDLE_CLIENTS = 10_000

interface Load {
  /** Runs the task in all processes. */
  all<T>(task: (process: number) => Task): Promise<T[]>
}

type Figures = Record<string, number>

const command = promisify(execFile)
const options = readOptions()
const children = new Children([], options.transport)
const loads = new Set<{ kill(signal: NodeJS.Signals): unknown }>()
process.on('exit', () => {
  for (const load of loads) load.kill('SIGKILL')
  children.endAll()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

const results: Record<string, Figures> = {}
const cases = { connections, 'engine-kill': engineKill, deploy } as const
for (const name of options.case.split(',')) {
  if (!Object.hasOwn(cases, name)) refuse(`no case "${name}"`)
  process.stdout.write(`${name} …\n`)
  const figures = await cases[name as keyof typeof cases]().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  results[name] = figures
  for (const [figure, value] of Object.entries(figures)) {
    const shown = value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 100 ? 3 : 0 })
    process.stdout.write(`  ${figure.padEnd(40)}${shown.padStart(12)}\n`)
  }
}
const machine = {
  date: new Date().toISOString(),
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  node: process.version,
}
const folder = fileURLToPath(new URL('../../../bench/results/', import.meta.url))
mkdirSync(folder, { recursive: true })
const file = `${folder}${machine.date.slice(0, 19).replaceAll(':', '')}-${hostname()}-fronts.json`
writeFileSync(file, `${JSON.stringify({ machine, options, results }, null, 2)}\n`)
process.stdout.write(`stored in ${file}\n`)
process.exit(0)

/** All live, what each costs, and the processor time of the engine with few and with many idle connections. */
async function connections(): Promise<Figures> {
  const count = options.connections ?? 100_000
  const fronts = options.fronts ?? 6
  const server = await startServer(fronts, count)
  const load = startLoad(server, count)
  const { engine } = fleetPids(server.pid)
  const processes = processesFor(count)
  const few = Math.min(IDLE_CLIENTS, share(count, 0, 2))
  const part = (total: number, at: number) => share(total, at, processes)
  await load.all((at) => ({ task: 'connect', count: part(WARM_UP, at) }))
  const bytesBefore = fleetBytes(server.pid)
  await load.all((at) => ({ task: 'connect', count: part(few, at) - part(WARM_UP, at) }))
  await delay(options.idleMs)
  const coresOfFew = await coresOf(engine, options.idleMs)
  const startedAt = performance.now()
  await load.all((at) => ({ task: 'connect', count: part(count, at) - part(few, at) }))
  const seconds = (performance.now() - startedAt) / 1_000
  await load.all(() => ({ task: 'pingAll' }))
  await delay(options.idleMs)
  const coresOfMany = await coresOf(engine, options.idleMs)
  const idle = (fleetBytes(server.pid) - bytesBefore) / (count - WARM_UP) / 1_024
  await load.all(() => ({ task: 'createGroups' }))
  await load.all(() => ({ task: 'startSending', perSecond: options.rate / processesFor(count) }))
  await delay(options.sendMs)
  await load.all(() => ({ task: 'stopSending' }))
  await load.all(() => ({ task: 'pingAll' }))
  const inGroups = (fleetBytes(server.pid) - bytesBefore) / (count - WARM_UP) / 1_024
  const verdict = await verdictOf(load)
  await server.end()
  return {
    clients: count,
    fronts,
    'connections/s': (count - few) / seconds,
    'KiB/connection, idle': idle,
    'KiB/connection, in groups of 10': inGroups,
    [`engine cores, ${few} idle`]: coresOfFew,
    [`engine cores, ${count} idle`]: coresOfMany,
    'growth of the engine’s cores': coresOfMany / coresOfFew,
    ...verdict,
  }
}

/** kill -9 of the engine while clients chat: none may be disconnected, nothing lost. */
async function engineKill(): Promise<Figures> {
  const { server, load, count, fronts } = await chatting()
  const times: number[] = []
  for (let round = 0; round < (options.rounds ?? 20); round++) {
    await delay(1_000 + ((round * 370) % 1_000))
    const { engine } = fleetPids(server.pid)
    const killedAt = performance.now()
    process.kill(engine, 'SIGKILL')
    await load.all(() => ({ task: 'pingAll' }))
    times.push(performance.now() - killedAt)
    await until(
      () => ![0, engine].includes(fleetPids(server.pid).engine),
      () => 'the engine is not started again',
    )
  }
  return {
    clients: count,
    fronts,
    kills: times.length,
    ...(await endOf(server, load, 'all live after ms', times)),
  }
}

/** Deployments while clients chat: each is disconnected at most once by each of them. */
async function deploy(): Promise<Figures> {
  const { server, load, count, fronts } = await chatting()
  const times: number[] = []
  const rounds = options.rounds ?? 10
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    await command(process.execPath, [serverMain, 'deploy'], { env: { DATA_DIR: server.dataDir } })
    await load.all(() => ({ task: 'pingAll' }))
    times.push(performance.now() - startedAt)
  }
  const figures = await endOf(server, load, 'deployed and all live after ms', times)
  const most = figures['closed, most of one client'] ?? 0
  return {
    clients: count,
    fronts,
    deployments: rounds,
    ...figures,
    'closed by one deployment, at most': most / rounds,
  }
}

async function chatting() {
  const count = options.connections ?? 10_000
  const fronts = options.fronts ?? 2
  const server = await startServer(fronts, count)
  const load = startLoad(server, count)
  await load.all((at) => ({ task: 'connect', count: share(count, at, processesFor(count)) }))
  await load.all(() => ({ task: 'createGroups' }))
  await load.all(() => ({ task: 'startSending', perSecond: options.rate / processesFor(count) }))
  await delay(1_000)
  return { server, load, count, fronts }
}

async function endOf(
  server: RunningServer,
  load: Load,
  name: string,
  times: readonly number[],
): Promise<Figures> {
  await load.all(() => ({ task: 'stopSending' }))
  await load.all(() => ({ task: 'pingAll' }))
  const verdict = await verdictOf(load)
  await server.end()
  const sorted = [...times].sort((a, b) => a - b)
  return {
    ...verdict,
    [`${name}, median`]: sorted[Math.floor(sorted.length / 2)] ?? 0,
    [`${name}, longest`]: sorted.at(-1) ?? 0,
  }
}

async function startServer(fronts: number, count: number): Promise<RunningServer> {
  const server = await children.server({
    FRONTS: String(fronts),
    MAX_CONNECTIONS: String(count),
    LOG_LEVEL: 'info',
  })
  await allFrontsServe(server.port, fronts)
  return server
}

/** How many processes connect so many clients. */
function processesFor(count: number): number {
  return Math.ceil(count / (options.files - SPARE_FILES))
}

/** The part of `total` clients that one of the processes has: whole groups, the rest in the first. */
function share(total: number, at: number, processes: number): number {
  const each = Math.floor(total / processes / GROUP_SIZE) * GROUP_SIZE
  return at === 0 ? total - each * (processes - 1) : each
}

function startLoad({ port, secret }: RunningServer, count: number): Load {
  const program = fileURLToPath(new URL('talkers-process.js', import.meta.url))
  const all = Array.from({ length: processesFor(count) }, (_, at) => {
    // Each process has addresses and user ids of its own.
    const input: TalkersInput = { port, secret, network: `127.1.${at}`, from: at * 1_000_000 }
    const child = fork(program, [JSON.stringify(input)])
    loads.add(child)
    child.once('exit', () => loads.delete(child))
    return child
  })
  return {
    all: <T>(task: (process: number) => Task) =>
      Promise.all(
        all.map(
          (child, at) =>
            new Promise<T>((resolve, reject) => {
              const ended = (code: number | null) => reject(new Error(`a load process ended with ${code}`))
              child.once('exit', ended)
              child.once('message', (answer: { readonly result: T; readonly error?: string }) => {
                child.off('exit', ended)
                if (answer.error === undefined) resolve(answer.result)
                else reject(new Error(`load process ${at}: ${answer.error}`))
              })
              child.send(task(at))
            }),
        ),
      ),
  }
}

async function verdictOf(load: Load): Promise<Figures> {
  const verdicts = await load.all<Verdict>(() => ({ task: 'verdict' }))
  const sum: Figures = {}
  for (const verdict of verdicts) {
    for (const [name, value] of Object.entries(verdict) as [keyof Verdict, number][]) {
      sum[name] =
        name === 'closed, most of one client' ? Math.max(sum[name] ?? 0, value) : (sum[name] ?? 0) + value
    }
  }
  return sum
}

function readOptions() {
  const number = { type: 'string' } as const
  try {
    const { values } = parseArgs({
      options: {
        case: { type: 'string', default: 'connections,engine-kill,deploy' },
        connections: number,
        fronts: number,
        rounds: number,
        rate: { ...number, default: '1000' },
        seconds: { ...number, default: '20' },
        files: { ...number, default: '20000' },
        transport: { type: 'string', default: 'auto' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(usage)
      process.exit(0)
    }
    const given = (text: string | undefined) => (text === undefined ? undefined : whole(text))
    const ms = whole(values.seconds) * 1_000
    return {
      case: values.case,
      connections: given(values.connections),
      fronts: given(values.fronts),
      rounds: given(values.rounds),
      rate: whole(values.rate),
      sendMs: ms,
      idleMs: ms,
      files: whole(values.files),
      transport: values.transport,
    }
  } catch (error) {
    refuse((error as Error).message)
  }
}

function whole(text: string): number {
  const value = Number(text)
  if (!(Number.isInteger(value) && value >= 1)) throw new Error(`${text} is not a whole number`)
  return value
}

function refuse(why: string): never {
  process.stderr.write(`${why}\n\n${usage}`)
  process.exit(2)
}
