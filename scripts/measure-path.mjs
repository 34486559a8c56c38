/**
 * Path of a request: the files it enters, the functions it calls and the records it sends between threads.
 *
 *   node scripts/measure-path.mjs             a table; build first
 *   node scripts/measure-path.mjs --calls     also each function, with its thread and its calls per request
 *
 * An engine with shard threads runs twice under V8's coverage, which counts the calls of every function in
 * every thread. The runs differ only in the number of requests, so the difference divided by that number
 * is the cost of one request; the start, the handshake and the stop cancel out. One request at a time is
 * under way. `session` is a session in the engine's process; its encoding and decoding are counted. The
 * clients of WebSockets and HTTP run in this process and are not counted. `encodings` are of the shards: events
 * for sessions and entries for the log. `files` and `calls` are without
 * the search thread, which follows the log and delays no answer, and without `node_modules`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { WebSocket } from 'ws'
import { createEngine } from '../dist/engine/index.js'
import { decodeEvent, encodeRequest } from '../dist/protocol/index.js'

const FEW = 100
const MANY = 1_100
/** What is called less often than in one of this many requests belongs to timers. */
const NOISE = 10
/** The script that a thread of the engine starts with. */
const ENTRY = /\/(shard|writer|reader|copier|search|file)-thread\.js$/
const SECRET = 'the secret of a measurement, 32 bytes or more'
const self = fileURLToPath(import.meta.url)
const dist = new URL('../dist/', import.meta.url)
const main = fileURLToPath(new URL('server/main.js', dist))
const groupId = 'kitchen'

/** What is measured. `bars` are the limits of the figures of the same name. */
const cases = {
  'send_message, session': { shards: 2, start: localSender, bars: { files: 28, calls: 170, encodings: 2 } },
  'send_message, WebSocket': { shards: 2, start: sender, bars: {} },
  'get_history of 50 in memory, session': { shards: 2, start: localReader, bars: { calls: 400 } },
  'get_history of 50 in memory, WebSocket': { shards: 2, start: reader, bars: {} },
  'POST of a message, 16 shards': { shards: 16, start: poster, bars: { 'to shards': 2 } },
}

const [, , first, dataDir, requests] = process.argv
if (first in cases) await runLocal(cases[first], dataDir, Number(requests))
else await measureAll()

async function measureAll() {
  const table = {}
  for (const [name, { bars }] of Object.entries(cases)) {
    const functions = perRequest(await run(name, FEW), await run(name, MANY))
    const own = functions.filter(({ thread }) => thread !== 'search')
    const callsOf = (kind) => sum(functions.filter(({ thread }) => thread === kind))
    const figures = {
      files: new Set(own.map(({ file }) => file)).size,
      calls: sum(own),
      ...Object.fromEntries(['main', 'shard', 'writer', 'search'].map((thread) => [thread, callsOf(thread)])),
      'to shards': recordsOf(functions, 'main'),
      'to main': recordsOf(functions, 'shard'),
      encodings: encodingsOf(functions),
    }
    table[name] = Object.fromEntries(Object.entries(figures).map(withBar(bars)))
    if (first === '--calls') list(name, functions)
  }
  console.table(table)
}

/** One run with that many requests: the calls of each function. */
async function run(name, requests) {
  const { shards, start } = cases[name]
  const isLocal = start === localSender || start === localReader
  const scratch = mkdtempSync(join(tmpdir(), 'tertulia-path-'))
  const coverage = join(scratch, 'coverage')
  const data = join(scratch, 'data')
  const args = isLocal ? [self, name, data, String(requests)] : [main, 'serve']
  const child = spawn(process.execPath, args, {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      NODE_V8_COVERAGE: coverage,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: data,
      JWT_SECRET: SECRET,
      RATE_LIMIT: '0',
      SHARDS: String(shards),
    },
    stdio: ['ignore', 'ignore', isLocal ? 'inherit' : 'pipe'],
  })
  try {
    if (!isLocal) {
      const { send, end } = await start(await portOf(child))
      for (let i = 0; i < requests; i++) await send(i)
      end()
      child.kill('SIGTERM')
    }
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`${name}: the process ended with ${code}`)
    return readCoverage(coverage)
  } finally {
    child.kill('SIGKILL')
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The same requests of sessions of an engine in this process. */
async function runLocal({ shards, start }, dataDir, requests) {
  const engine = await createEngine({ dataDir, shards })
  const send = await start(engine)
  for (let i = 0; i < requests; i++) await send(i)
  await engine.close()
}

async function portOf(child) {
  for await (const line of createInterface({ input: child.stderr })) {
    const port = /"port":(\d+).*"msg":"listening"/.exec(line)?.[1]
    if (port) {
      child.stderr.resume()
      return Number(port)
    }
  }
  throw new Error('the server did not start')
}

// The clients: each returns a function that makes one request and waits for everything it causes.

async function localSender(engine) {
  const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
  await ana.createGroup({ kind: 'group', groupId, members: ['bruno'] })
  let received = () => {}
  bruno.on('new_message', () => received())
  return (i) => {
    const delivered = new Promise((resolve) => {
      received = resolve
    })
    return Promise.all([ana.sendMessage(post(i)), delivered])
  }
}

async function localReader(engine) {
  const ana = await engine.connect({ userId: 'ana' })
  await ana.createGroup({ kind: 'group', groupId })
  for (let i = 0; i < 60; i++) await ana.sendMessage(post(i))
  return () => ana.getHistory({ groupId, limit: 50 })
}

async function sender(port) {
  const [ana, bruno] = [await connect(port, 'ana'), await connect(port, 'bruno')]
  await ana.ask('create_group', { kind: 'group', groupId, members: ['bruno'] })
  return {
    send: (i) => {
      const received = bruno.next('new_message')
      return Promise.all([ana.ask('send_message', post(i)), received])
    },
    end: () => [ana, bruno].map(({ close }) => close()),
  }
}

async function reader(port) {
  const ana = await connect(port, 'ana')
  await ana.ask('create_group', { kind: 'group', groupId })
  for (let i = 0; i < 60; i++) await ana.ask('send_message', post(i))
  return { send: () => ana.ask('get_history', { groupId, limit: 50 }), end: ana.close }
}

async function poster(port) {
  const token = await tokenOf('ana')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const call = (path, body) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const asked = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, (answer) => {
        answer.resume().on('end', () => {
          if (answer.statusCode === 201) resolve()
          else reject(new Error(`${path} answered ${answer.statusCode}`))
        })
      })
      asked.on('error', reject).end(JSON.stringify(body))
    })
  await call('/api/chat/groups', { kind: 'group', groupId })
  return {
    send: (i) => call(`/api/chat/groups/${groupId}/messages`, post(i)),
    end: () => agent.destroy(),
  }
}

function post(i) {
  return { groupId, content: 'a message of about the usual length', tempId: `t${i}` }
}

function tokenOf(userId) {
  const token = new SignJWT({ name: userId }).setProtectedHeader({ alg: 'HS256' }).setSubject(userId)
  return token.setIssuedAt().setExpirationTime('1h').sign(new TextEncoder().encode(SECRET))
}

/** A connection that makes one request at a time. */
async function connect(port, userId) {
  const headers = { authorization: `Bearer ${await tokenOf(userId)}` }
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers })
  let waiting = []
  socket.on('message', (frame) => {
    const event = decodeEvent(frame)
    const [done, rest] = [
      waiting.filter(({ fits }) => fits(event)),
      waiting.filter(({ fits }) => !fits(event)),
    ]
    waiting = rest
    for (const { resolve } of done) resolve(event)
  })
  socket.on('close', () => {
    for (const { reject } of waiting) reject(new Error(`${userId} was disconnected`))
  })
  const wait = (fits) => new Promise((resolve, reject) => waiting.push({ fits, resolve, reject }))
  const next = (name) => wait(({ event }) => event === name)
  await next('connected')
  let lastRef = 0
  return {
    next,
    async ask(name, fields) {
      const ref = ++lastRef
      const answer = wait((event) => event.ref === ref)
      socket.send(encodeRequest(name, ref, fields))
      const { event, fields: answered } = await answer
      if (/error/.test(event)) throw new Error(`${name}: ${JSON.stringify(answered)}`)
    },
    close: () => socket.close(),
  }
}

// The figures.

/** The calls of each function of `dist/`, by the kind of its thread. */
function readCoverage(folder) {
  const calls = new Map()
  for (const name of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    const scripts = result.filter(({ url }) => url.startsWith(dist.href))
    const thread = scripts.map(({ url }) => ENTRY.exec(url)?.[1]).find(Boolean) ?? 'main'
    for (const { url, functions } of scripts) {
      for (const { functionName, ranges } of functions) {
        const [{ startOffset, count }] = ranges
        const file = url.slice(dist.href.length)
        const key = [thread, file, functionName || '(anonymous)', startOffset].join('\t')
        calls.set(key, (calls.get(key) ?? 0) + count)
      }
    }
  }
  return calls
}

function perRequest(few, many) {
  return [...many].flatMap(([key, count]) => {
    const calls = (count - (few.get(key) ?? 0)) / (MANY - FEW)
    const [thread, file, name] = key.split('\t')
    return calls > 1 / NOISE ? [{ thread, file, name, calls: Math.round(calls * 10) / 10 }] : []
  })
}

/** Records that threads of this kind pushed to batches between the main thread and the shards. */
function recordsOf(functions, thread) {
  const pushes = functions.filter(({ file, name }) => file.endsWith('/batch.js') && name === 'push')
  if (pushes.length === 0) throw new Error('no push in batch.js was called: is it still named so?')
  return sum(pushes.filter((push) => push.thread === thread))
}

/** Objects that the shards encoded: frames of events, and what they sent to the log. */
function encodingsOf(functions) {
  const isEncoding = ({ file, name }) =>
    (file === 'protocol/codec.js' && name === 'encode') ||
    (file === 'engine/threads/packing.js' && (name === 'pack' || name === 'post'))
  return sum(functions.filter((one) => one.thread === 'shard' && isEncoding(one)))
}

function sum(functions) {
  return Math.round(functions.reduce((total, { calls }) => total + calls, 0) * 10) / 10
}

function withBar(bars) {
  return ([name, value]) => [name, name in bars ? `${value} (at most ${bars[name]})` : String(value)]
}

function list(name, functions) {
  console.log(`\n${name}`)
  const inOrder = [...functions].sort(
    (a, b) => a.thread.localeCompare(b.thread) || a.file.localeCompare(b.file) || b.calls - a.calls,
  )
  for (const { thread, file, name: called, calls } of inOrder) {
    console.log(`${String(calls).padStart(8)}  ${thread.padEnd(7)} ${file} ${called}`)
  }
}
