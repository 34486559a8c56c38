/**
 * Attack bench: how much one account inside its limits slows down the others (INP-2).
 *
 * The engine writes a data folder once. For each attack a server starts on a copy of it with default
 * limits. Innocent pairs chat and newcomers connect, first alone and then during the attack; the p99
 * of both parts is compared in the same process on the same machine.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Children, type RunningServer } from '../children.ts'
import { cpuSeconds, residentBytes } from '../load/process-figures.ts'
import { Attacker } from './attacker.ts'
import { attacks } from './attacks.ts'
import { Innocents } from './innocents.ts'
import { prepareWorld } from './world.ts'

const usage = `npm run bench:attack -- [--only TEXT] [--seconds N]

  --only      attacks whose name contains this
  --seconds   length of each part, 3 to 120 (10)
`
const MAX_RATIO = 3
const MAX_FRAME = 256 * 1024
const MAX_HALF_FRAME_MIB = 30
const HALF_FRAME_SOCKETS = 1_000
/** The largest frames that sockets without a token can begin: those of the first ones, and of the others. */
const halfFrames = [
  ['binary protocol', '/ws', [], 81_920],
  ['Socket.IO', '/socket.io/?EIO=4&transport=websocket', [6_356_992, 2_097_152], 81_920],
] as const
const WARM_UP_MS = 3_000
/** A server has settled when its memory changes by less than this in a second. */
const SETTLED_BYTES = 256 * 1_024
const MAX_SETTLING_SECONDS = 60
/** Time for an attack to reach its full rate before it is measured. */
const RAMP_MS = 1_000

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
if (values.help || !(seconds >= 3 && seconds <= 120)) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

const folder = mkdtempSync(join(tmpdir(), 'tertulia-attack-'))
const children = new Children([], 'auto')
process.on('exit', () => {
  children.endAll()
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

process.stdout.write('writing the data folder …\n')
const world = join(folder, 'world')
await prepareWorld(world)
process.stdout.write(
  `${'attack'.padEnd(40)}${['ack p99', 'under', 'ratio', 'connect', 'under', 'ratio', 'answers', 'refused', 'KiB', 'cores'].map((head) => head.padStart(9)).join('')}\n`,
)
let missed = 0
for (const [name, attack] of Object.entries(attacks)) {
  if (!name.includes(values.only)) continue
  await withServer(async (server) => {
    const innocents = new Innocents(server)
    await innocents.connect()
    await innocents.measure(WARM_UP_MS)
    const before = await innocents.measure(seconds * 1_000)
    const attacker = new Attacker(server)
    const attacking = attack(attacker)
    await Promise.race([delay(RAMP_MS), attacking])
    const cpu = cpuSeconds(server.pid)
    const startedAt = performance.now()
    const under = await innocents.measure(seconds * 1_000)
    const cores = (cpuSeconds(server.pid) - cpu) / ((performance.now() - startedAt) / 1_000)
    attacker.stop()
    await attacking
    innocents.end()
    const ratios = [under.ackP99 / before.ackP99, under.connectP99 / before.connectP99]
    const met = ratios.every((ratio) => ratio <= MAX_RATIO) && attacker.largestFrame <= MAX_FRAME
    if (!met) missed += 1
    const figures = [before.ackP99, under.ackP99, ratios[0], before.connectP99, under.connectP99, ratios[1]]
    const columns = [
      ...figures.map((value) => (value as number).toFixed(1)),
      attacker.answered,
      attacker.refused,
      (attacker.largestFrame / 1024).toFixed(0),
      cores.toFixed(2),
    ]
    const verdict = met ? '' : '   MISSES'
    process.stdout.write(
      `${name.padEnd(40)}${columns.map((value) => `${value}`.padStart(9)).join('')}${verdict}\n`,
    )
  })
}
for (const [kind, path, ofFirst, ofOthers] of halfFrames) {
  if (!`half frames ${kind}`.includes(values.only)) continue
  await withServer(async (server) => {
    const before = await settledBytes(server.pid)
    const sockets = Array.from({ length: HALF_FRAME_SOCKETS }, (_, i) =>
      openHalfFrame(server.port, i, path, ofFirst[i] ?? ofOthers),
    )
    await delay(WARM_UP_MS)
    const mib = (residentBytes(server.pid) - before) / 2 ** 20
    for (const socket of sockets) socket.destroy()
    const met = mib <= MAX_HALF_FRAME_MIB
    if (!met) missed += 1
    process.stdout.write(
      `half frames of ${HALF_FRAME_SOCKETS} sockets without a token, ${kind}: ${mib.toFixed(1)} MiB more${met ? '' : '   MISSES'}\n`,
    )
  })
}
process.stdout.write(
  `bars: ratios at most ${MAX_RATIO}, frames at most 256 KiB, half frames at most ${MAX_HALF_FRAME_MIB} MiB; missed: ${missed}\n`,
)
process.exit(0)

async function withServer(use: (server: RunningServer) => Promise<void>): Promise<void> {
  const dataDir = join(folder, 'data')
  cpSync(world, dataDir, { recursive: true })
  const server = await children.server({ DATA_DIR: dataDir, RATE_LIMIT: '100' })
  await use(server)
  await server.end()
  rmSync(dataDir, { recursive: true, force: true })
}

/** A socket that has sent no token and most of a frame of this size. */
/** The memory of a server that has started: it indexes the log that it finds, which takes 20 MiB. */
async function settledBytes(pid: number): Promise<number> {
  let before = residentBytes(pid)
  for (let i = 0; i < MAX_SETTLING_SECONDS; i++) {
    await delay(1_000)
    const now = residentBytes(pid)
    if (Math.abs(now - before) < SETTLED_BYTES) return now
    before = now
  }
  throw new Error(`the memory of the server still changes after ${MAX_SETTLING_SECONDS} seconds`)
}

function openHalfFrame(port: number, i: number, path: string, bytes: number) {
  const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.2.${1 + (i % 100)}` })
  socket.on('error', () => {})
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  )
  socket.once('data', () => {
    const head = Buffer.alloc(14)
    head[0] = 0x82
    head[1] = 0x80 | 127
    head.writeBigUInt64BE(BigInt(bytes), 2)
    socket.write(head)
    socket.write(Buffer.alloc(bytes - 4_096))
  })
  return socket
}
