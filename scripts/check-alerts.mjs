/**
 * Check alerts: `docs/alerts.yml` through promtool, with series made of what real servers say.
 *
 * A built server is brought into each state that a rule is about (and into a healthy one), and its
 * /metrics is scraped before and after some seconds of it. What happened between the two scrapes
 * is then repeated for a quarter of an hour of series, and promtool reports which alerts fire: that
 * one, and no other. Needs `npm run build` and promtool, which is in Debian's package prometheus.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, promises, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { SignJWT } from 'jose'
import { WebSocket } from 'ws'

const rules = fileURLToPath(new URL('../docs/alerts.yml', import.meta.url))
const jwtSecret = 'a secret for alerts, of 32 bytes and more'
const instance = 'chat.example:4040'
const intervals = 60
const logger = { info() {}, warn() {}, error() {} }
const folder = mkdtempSync(join(tmpdir(), 'tertulia-alerts-'))

/** A server in the state to be tested, and a client in it. */
class Scene {
  constructor(server, dataDir) {
    this.server = server
    this.dataDir = dataDir
    this.sockets = []
  }

  static async start(name, options = {}) {
    const { createServer } = await import('tertulia/server')
    const dataDir = join(folder, name)
    const listen = { port: 0, host: '127.0.0.1', rateLimit: 0, jwtSecret, logger }
    const engine = options.engine ? {} : { shards: 'inline', dataDir }
    const server = await createServer({ ...listen, ...engine, ...options })
    return new Scene(server, dataDir)
  }

  async connect(userId) {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(userId)
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(jwtSecret))
    const headers = { authorization: `Bearer ${token}` }
    const socket = new WebSocket(`ws://127.0.0.1:${this.server.port}/ws`, ['tertulia.v1.json'], { headers })
    this.sockets.push(socket)
    await once(socket, 'message')
    return new Client(socket)
  }

  async scrape() {
    const response = await fetch(`${this.server.url}/metrics`)
    if (!response.ok) throw new Error(`/metrics answered ${response.status}`)
    const lines = (await response.text()).split('\n')
    const types = new Map()
    const samples = new Map()
    for (const line of lines) {
      const [, metric, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
      if (metric) types.set(metric, type)
      const [, name, labels, value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      if (!name) continue
      const grows =
        types.get(name) === 'counter' || types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram'
      samples.set(`${name}{${labels ? `${labels},` : ''}instance="${instance}"}`, {
        value: Number(value),
        grows,
      })
    }
    return samples
  }

  async close() {
    for (const socket of this.sockets) socket.terminate()
    await this.server.close()
  }
}

/** A socket that sends a request and waits for the answer. */
class Client {
  constructor(socket) {
    this.socket = socket
    this.ref = 0
    this.waiting = new Map()
    socket.on('message', (data) => {
      const { ref, event } = JSON.parse(data.toString())
      this.waiting.get(ref)?.(event)
      this.waiting.delete(ref)
    })
  }

  ask(event, data) {
    const ref = ++this.ref
    this.socket.send(JSON.stringify({ event, ref, data }))
    return new Promise((resolve) => this.waiting.set(ref, resolve))
  }

  async makeGroup(members = []) {
    await this.ask('create_group', { kind: 'group', groupId: 'g', members })
  }

  async post(times, content = 'hello') {
    for (let i = 0; i < times; i++) {
      await this.ask('send_message', { groupId: 'g', content, tempId: `t${this.ref}` })
    }
  }
}

/** Each state: the settings, what is done before the first scrape, and between the two. */
const scenes = {
  healthy: {
    fires: [],
    before: (client) => client.makeGroup(),
    between: async (client) => {
      await client.post(200)
      // A single refusal is not an alert.
      await client.ask('get_history', { groupId: 'nowhere' })
    },
  },
  'nearly full': {
    fires: ['TertuliaConnectionsNearLimit'],
    options: { maxConnections: 20 },
    before: async (client, scene) => {
      await client.makeGroup()
      for (let i = 1; i < 19; i++) await scene.connect(`user${i}`)
    },
    between: (client) => client.post(50),
  },
  'slow hook': {
    fires: ['TertuliaSlowAnswers'],
    options: { hooks: { beforeMessage: async () => void (await delay(300)) } },
    before: (client) => client.makeGroup(),
    between: (client) => client.post(10),
  },
  'many errors': {
    fires: ['TertuliaErrorRate'],
    before: (client) => client.makeGroup(),
    between: async (client) => {
      await client.post(90)
      for (let i = 0; i < 10; i++) await client.ask('get_history', { groupId: 'nowhere' })
    },
  },
  'much memory': {
    fires: ['TertuliaMemoryHigh'],
    options: { memoryLimit: Math.round(process.memoryUsage().rss) },
    before: (client) => client.makeGroup(),
    between: (client) => client.post(50),
  },
  'a front without an engine': {
    fires: ['TertuliaEngineNotLinked'],
    prepare: linkedEngine,
    before: async (client, scene) => {
      await client.makeGroup()
      await scene.prepared.listener.close()
    },
    between: () => delay(100),
    after: (scene) => scene.prepared.close(),
  },
  'storage that rejects writes': {
    fires: ['TertuliaStorageFailing'],
    before: async (client, scene) => {
      await client.makeGroup()
      scene.blocking = new Database(join(scene.dataDir, 'tertulia.db'))
      scene.blocking.exec('BEGIN IMMEDIATE')
      await client.post(1)
    },
    between: () => delay(100),
    after: (scene) => scene.blocking.close(),
  },
  'storage that failed a moment ago': {
    fires: ['TertuliaStorageFailing'],
    before: (client) => client.makeGroup(),
    between: async (client, scene) => {
      await client.post(50)
      const blocking = new Database(join(scene.dataDir, 'tertulia.db'))
      blocking.exec('BEGIN IMMEDIATE')
      await client.post(1)
      blocking.close()
      for (;;) {
        const { status } = await fetch(`${scene.server.url}/readyz`)
        if (status === 200) return
        await delay(20)
      }
    },
  },
  'a disk that is 92 % full': {
    fires: ['TertuliaDiskFilling'],
    // The engine looks at the disk once at its start, and every five seconds.
    prepare: () => reportDisk({ blocks: 1_000_000, bfree: 80_000, bavail: 80_000, bsize: 4_096 }),
    before: (client) => client.makeGroup(),
    between: (client) => client.post(50),
    after: () => reportDisk(null),
  },
  'a busy main thread': {
    fires: ['TertuliaEventLoopLate'],
    before: (client) => client.makeGroup(),
    between: async () => {
      for (let i = 0; i < 10; i++) {
        for (const end = performance.now() + 180; performance.now() < end; );
        await delay(1)
      }
    },
  },
  'readers that do not read': {
    fires: ['TertuliaSlowReaders'],
    options: { maxBackpressure: 65_536 },
    before: async (client, scene) => {
      const readers = Array.from({ length: 8 }, (_, i) => `reader${i}`)
      await client.makeGroup(readers)
      for (const reader of readers) (await scene.connect(reader)).socket.pause()
    },
    between: async (client, scene) => {
      for (;;) {
        await client.post(50, 'x'.repeat(10_000))
        const { ended } = (await scene.server.getServerStats()).connections
        if (ended.slow_reader >= 8) return
      }
    },
  },
}

const { statfs } = promises

/** Makes the system report these figures of every disk; null: the real ones. */
function reportDisk(figures) {
  promises.statfs = figures ? async () => figures : statfs
  syncBuiltinESMExports()
}

/** An engine that a front uses over a link. */
async function linkedEngine() {
  const { createEngine } = await import('tertulia')
  const { serveFronts } = await import('tertulia/server')
  const { connectEngine } = await import('../dist/server/link/linked-engine.js')
  const own = await createEngine({ dataDir: join(folder, 'engine'), shards: 'inline', logger })
  const link = {
    address: `unix:${join(folder, 'link.sock')}`,
    key: 'a key for alerts, of 32 bytes and more',
    logger,
  }
  const listener = await serveFronts(own, link)
  const engine = await connectEngine({ ...link, waitMs: 1 })
  const close = async () => {
    await engine.close()
    await own.close()
  }
  return { options: { engine }, listener, close }
}

async function seriesOf(name, { options, prepare, before, between, after }) {
  const prepared = await prepare?.()
  const scene = await Scene.start(name.replaceAll(' ', '-'), { ...options, ...prepared?.options })
  scene.prepared = prepared
  try {
    const client = await scene.connect('ana')
    await before(client, scene)
    const first = await scene.scrape()
    await between(client, scene)
    const second = await scene.scrape()
    return [...second].map(([series, { value, grows }]) => {
      const from = first.get(series)?.value ?? 0
      const step = grows ? value - from : 0
      return { series, values: `${grows ? from : value}+${step}x${intervals}` }
    })
  } finally {
    after?.(scene)
    await scene.close()
  }
}

/** A machine that is busy with other work is late in every scene; its alert fires in all of them. */
function ignored({ fires }) {
  return ['TertuliaEventLoopLate', 'TertuliaSlowAnswers'].filter((alert) => !fires.includes(alert))
}

function promtool(...args) {
  try {
    return execFileSync('promtool', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    if (error.code !== 'ENOENT') throw new Error(`promtool ${args.join(' ')}\n${error.stdout}${error.stderr}`)
    throw new Error('promtool is not there: on Debian and Ubuntu it is in the package prometheus')
  }
}

try {
  console.log(promtool('check', 'rules', rules).trim())
  const tests = []
  for (const [name, scene] of Object.entries(scenes)) {
    tests.push({
      name,
      interval: '15s',
      input_series: await seriesOf(name, scene),
      promql_expr_test: [
        {
          expr: `count by (alertname) (ALERTS{alertstate="firing", alertname!~"${ignored(scene).join('|')}"})`,
          eval_time: '14m',
          exp_samples: scene.fires.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
        },
      ],
    })
    console.log(`  ${name}: ${scene.fires.join(', ') || 'nothing'} is to fire`)
  }
  const file = join(folder, 'tests.yml')
  // JSON is YAML, too.
  writeFileSync(file, JSON.stringify({ rule_files: [rules], evaluation_interval: '15s', tests }))
  console.log(promtool('test', 'rules', file).trim())
} catch (error) {
  console.error(
    error.code === 'ERR_MODULE_NOT_FOUND' ? `run npm run build first: ${error.message}` : error.message,
  )
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
