/**
 * Socket.IO bench: the processor time of a delivery and the heap of an idle connection, of Tertulia's clients
 * of both protocols and of the library `socket.io`.
 *
 * In each round every server runs once, one after the other, with the same load: 1,000 members, of which 16
 * write, one message unanswered each. Processor time is that of the server process, all threads, the system's
 * share included. Ratios are those of one round; what counts is their median.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { events } from '../../protocol/events.ts'
import { Children, type RunningServer } from '../children.ts'
import { Crowd, until } from '../load/crowd.ts'
import type { LeanClient } from '../load/lean-client.ts'
import { cpuSeconds, residentBytes } from '../load/process-figures.ts'
import { SocketIoCrowd } from '../load/socket-io-crowd.ts'

const usage = `npm run bench:socket-io -- [--rounds N] [--seconds N] [--only cpu|heap] [--transport uws|node]

  --rounds      1 to 100 (5)
  --seconds     measured time of each server in a round, 1 to 60 (4)
  --only        one of the two parts
  --transport   what Tertulia runs on (uws)
`
const MEMBERS = 1_000
const IN_FLIGHT = 16
/** The code of the server is compiled by then, however slow the machine is. */
const WARM_UP_MESSAGES = 800
const MAX_WARM_UP_MS = 10_000
const IDLE_CLIENTS = 4_000
const IDLE_WARM_UP_CLIENTS = 500
const SETTLE_MS = 2_000
const CONTENT = 'a message of about the usual length, as people write them'

type Figures = Readonly<Record<string, number>>

/** A crowd in one group, whose members write. */
interface Room {
  readonly posts: () => number
  readonly postBytes: () => number
  /** Stops writing, and waits for every delivery. */
  end(): Promise<void>
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string', default: 'cpu,heap' },
    transport: { type: 'string', default: 'uws' },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const isValid = Number.isInteger(rounds) && rounds >= 1 && rounds <= 100 && seconds >= 1 && seconds <= 60
if (values.help || !isValid) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

const folder = mkdtempSync(join(tmpdir(), 'tertulia-socket-io-'))
const heapFile = join(folder, 'heap')
const reporter = fileURLToPath(new URL('../load/report-heap.js', import.meta.url))
const children = new Children(['--expose-gc', '--import', reporter], values.transport)
process.on('exit', () => {
  children.endAll()
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

const env = { BENCH_HEAP_FILE: heapFile, SHARDS: '1' }
const tertulia = (message: string) => () => children.server({ ...env, SOCKET_IO_MESSAGE: message })
const library = (engine: string) => () => children.peer('socket-io-process', [engine], env)

const servers = {
  binary: { start: tertulia('nested'), join: binaryRoom },
  nested: { start: tertulia('nested'), join: tertuliaRoom },
  both: { start: tertulia('both'), join: tertuliaRoom },
  'socket.io, uWS': { start: library('uws'), join: libraryRoom },
  'socket.io': { start: library('own'), join: libraryRoom },
} as const
type Name = keyof typeof servers

/** Ratios, and their bars. */
const bars: readonly (readonly [name: Name, of: Name, bar: number])[] = [
  ['nested', 'binary', 1.35],
  ['both', 'binary', 1.7],
  // The library sends a message once, too.
  ['nested', 'socket.io, uWS', 0.75],
  ['nested', 'socket.io', 0.1],
]

process.stdout.write(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}\n`)
let missed = 0
if (values.only.includes('cpu')) await measureCpu()
if (values.only.includes('heap')) await measureHeap()
process.exit(missed > 0 ? 1 : 0)

async function measureCpu(): Promise<void> {
  const names = Object.keys(servers) as Name[]
  const found: Record<Name, Figures>[] = []
  for (let round = 1; round <= rounds; round++) {
    const ofRound: Partial<Record<Name, Figures>> = {}
    for (const name of names) {
      process.stdout.write(`round ${round} of ${rounds}: ${name} …\n`)
      ofRound[name] = await cpuOf(name)
    }
    found.push(ofRound as Record<Name, Figures>)
  }
  process.stdout.write('\nprocessor time of a delivery, medians\n')
  for (const name of names) {
    const figure = (key: string) => median(found.map((one) => one[name][key] as number))
    const line = ['µs', 'deliveries/s', 'bytes'].map((key) => `${shown(figure(key))} ${key}`.padStart(24))
    process.stdout.write(`  ${name.padEnd(16)}${line.join('')}\n`)
  }
  for (const [name, of, bar] of bars) {
    const ratio = median(found.map((one) => (one[name]['µs'] as number) / (one[of]['µs'] as number)))
    report(`${name} of ${of}`, ratio, bar)
  }
}

async function cpuOf(name: Name): Promise<Figures> {
  const { start, join: enter } = servers[name]
  const server = await start()
  const room = await enter(server)
  const warmUpAt = performance.now()
  while (room.posts() < WARM_UP_MESSAGES * MEMBERS && performance.now() - warmUpAt < MAX_WARM_UP_MS) {
    await delay(10)
  }
  const [cpuBefore, before, startedAt] = [cpuSeconds(server.pid), room.posts(), performance.now()]
  await delay(seconds * 1_000)
  const cpu = cpuSeconds(server.pid) - cpuBefore
  const deliveries = room.posts() - before
  const elapsed = (performance.now() - startedAt) / 1_000
  await room.end()
  await server.end()
  return {
    µs: (cpu * 1e6) / deliveries,
    'deliveries/s': deliveries / elapsed,
    bytes: room.postBytes(),
  }
}

async function binaryRoom(server: RunningServer): Promise<Room> {
  const crowd = new Crowd(server)
  await crowd.connect(MEMBERS)
  crowd.group('large', crowd.clients)
  await crowd.expect(events.group_created.code, MEMBERS)
  const { code } = events.new_message
  let sent = 0
  let isOpen = true
  let postBytes = 0
  const send = (client: LeanClient) => {
    if (!isOpen) return
    sent += 1
    crowd.request(client, 'send_message', { groupId: 'large', content: CONTENT, tempId: `t${sent}` })
  }
  crowd.onEvent = (client, event, _bytes, start, end) => {
    if (event === code) postBytes = end - start
    else if (event === events.message_sent.code) send(client)
  }
  for (const client of crowd.clients.slice(0, IN_FLIGHT)) send(client)
  return {
    posts: () => crowd.counts[code] as number,
    postBytes: () => postBytes,
    async end() {
      isOpen = false
      await crowd.expect(code, sent * MEMBERS)
      await crowd.checkPosts(() => sent)
      crowd.end()
    },
  }
}

/** The session that posts a message receives its answer and not `new_message`. */
function tertuliaRoom(server: RunningServer): Promise<Room> {
  return socketIoRoom(server, MEMBERS - 1, (crowd) => {
    const members = crowd.clients.slice(1).map(({ index }) => `u${index}`)
    crowd.emit(crowd.clients[0] as LeanClient, 'create_group', { kind: 'group', groupId: 'large', members })
  })
}

function libraryRoom(server: RunningServer): Promise<Room> {
  return socketIoRoom(server, MEMBERS, async (crowd) => {
    for (const client of crowd.clients) crowd.emit(client, 'join', {})
    await crowd.settle()
    crowd.emit(crowd.clients[0] as LeanClient, 'create_group', {})
  })
}

async function socketIoRoom(
  server: RunningServer,
  receivers: number,
  enter: (crowd: SocketIoCrowd) => void | Promise<void>,
): Promise<Room> {
  const crowd = new SocketIoCrowd(server)
  await crowd.connect(MEMBERS)
  await enter(crowd)
  await crowd.expect('created', MEMBERS)
  let sent = 0
  let isOpen = true
  const send = (client: LeanClient) => {
    if (!isOpen) return
    sent += 1
    crowd.emit(client, 'send_message', { groupId: 'large', content: CONTENT, tempId: `t${sent}` })
  }
  crowd.onSent = send
  for (const client of crowd.clients.slice(0, IN_FLIGHT)) send(client)
  return {
    posts: () => crowd.counts.posted,
    postBytes: () => crowd.postBytes,
    async end() {
      isOpen = false
      await crowd.expect('posted', sent * receivers)
      await crowd.settle()
      const wrong = crowd.counts.posted - sent * receivers
      if (wrong !== 0 || crowd.lost > 0) throw new Error(`${wrong} deliveries too many, lost ${crowd.lost}`)
      crowd.end()
    },
  }
}

/** Authenticated clients in no group. */
async function measureHeap(): Promise<void> {
  const names = ['nested', 'socket.io, uWS', 'socket.io'] as const
  const found: Record<string, Figures[]> = { nested: [], 'socket.io, uWS': [], 'socket.io': [] }
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      process.stdout.write(`round ${round} of ${rounds}: idle connections of ${name} …\n`)
      found[name]?.push(await heapOf(name))
    }
  }
  process.stdout.write('\nan idle connection, medians\n')
  for (const name of names) {
    const figure = (key: string) => median((found[name] ?? []).map((one) => one[key] as number))
    process.stdout.write(
      `  ${name.padEnd(16)}${shown(figure('heap')).padStart(8)} KiB of heap${shown(figure('rss')).padStart(8)} KiB of RSS\n`,
    )
  }
  const heaps = (name: string) => (found[name] ?? []).map((one) => one['heap'] as number)
  report('heap of nested, KiB', median(heaps('nested')), 2)
  const ratios = heaps('nested').map((heap, i) => heap / (heaps('socket.io')[i] as number))
  report('heap of nested of socket.io', median(ratios), 0.25)
}

async function heapOf(name: Name): Promise<Figures> {
  const server = await servers[name].start()
  const warmUp = new SocketIoCrowd(server)
  await warmUp.connect(IDLE_WARM_UP_CLIENTS, IDLE_CLIENTS)
  await warmUp.settle()
  warmUp.end()
  await delay(SETTLE_MS)
  const [heapBefore, rssBefore] = [await heapBytes(server.pid), residentBytes(server.pid)]
  const crowd = new SocketIoCrowd(server)
  await crowd.connect(IDLE_CLIENTS)
  await crowd.settle()
  await delay(SETTLE_MS)
  const [heapAfter, rssAfter] = [await heapBytes(server.pid), residentBytes(server.pid)]
  crowd.end()
  await server.end()
  const each = (bytes: number) => bytes / IDLE_CLIENTS / 1_024
  return { heap: each(heapAfter - heapBefore), rss: each(rssAfter - rssBefore) }
}

/** The bytes in use after a garbage collection, of the main thread. */
async function heapBytes(pid: number): Promise<number> {
  rmSync(heapFile, { force: true })
  process.kill(pid, 'SIGUSR2')
  let bytes = Number.NaN
  await until(
    () => {
      try {
        bytes = Number(readFileSync(heapFile, 'utf8'))
        return true
      } catch {
        return false
      }
    },
    () => 'the process has not reported its heap',
  )
  return bytes
}

function report(name: string, value: number, bar: number): void {
  const isMet = value <= bar
  if (!isMet) missed += 1
  process.stdout.write(
    `  ${name.padEnd(32)}${shown(value).padStart(8)}   ${isMet ? 'meets' : 'MISSES'} ≤ ${bar}\n`,
  )
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] as number
}

function shown(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 3 : 0 })
}
