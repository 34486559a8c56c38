/**
 * Starts under load: the built server, and the library without one, started again and again, used
 * and stopped. A native module that does not fit this Node aborts in one of them (PITFALLS 11).
 *
 *   node scripts/starts-under-load.mjs [TIMES]      10 by default; exit code 1 where one aborted
 *
 * A server that its own watchdog cuts, because the machine is too busy to stop in time, has not aborted.
 *
 * `TRANSPORT` selects the server's transport.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createEngine } from '../dist/engine/index.js'

const SOCKETS = 20
const LOAD_MS = 3_000
const [, self, mode] = process.argv
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tertulia-starts-'))

if (mode === 'library') await library()
else await all(Number(mode ?? 10))
rmSync(folder, { recursive: true, force: true })

async function all(times) {
  let aborted = 0
  for (let i = 1; i <= times; i++) {
    const ends = [
      await server(),
      await endOf(spawn(process.execPath, [self, 'library'], { stdio: 'inherit' })),
    ]
    console.log(`${process.version} start ${i}: server ${ends[0]}, library ${ends[1]}`)
    aborted += ends.filter((end) => !/(exit code 0|SIGKILL)$/.test(end)).length
  }
  console.log(`${process.version}: ${aborted} of ${2 * times} aborted`)
  process.exitCode = aborted === 0 ? 0 : 1
}

/** Starts the server, lets sockets chat for some time, stops it with SIGTERM. */
async function server() {
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=2', '--v8-pool-size=0', `${root}/dist/server/main.js`, 'serve'],
    {
      env: {
        ...process.env,
        PORT: '0',
        HOST: '127.0.0.1',
        DATA_DIR: mkdtempSync(join(folder, 'server-')),
        SHARDS: '2',
        RATE_LIMIT: '0',
        MAX_SESSIONS_PER_USER: String(SOCKETS),
        LOG_LEVEL: 'info',
        NODE_ENV: 'development',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const end = endOf(child)
  let log = ''
  let transport = ''
  createInterface({ input: child.stderr }).on('line', (line) => {
    log += `${line}\n`
    transport ||= /"transport":"(\w+)"/.exec(line)?.[1] ?? ''
  })
  let port = ''
  const token = await new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      port ||= /^Try it: http:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1] ?? ''
      const token = /^Token of the user .*: (\S+)$/.exec(line)?.[1]
      if (token) resolve(token)
    })
    void end.then(() => resolve(null))
  })
  if (token) {
    const load = spawn(process.execPath, [`${root}/scripts/starts-load.mjs`, port, token, String(SOCKETS)], {
      stdio: 'inherit',
    })
    await Promise.race([delay(LOAD_MS), end])
    load.kill('SIGKILL')
    child.kill('SIGTERM')
  }
  const how = await end
  if (!how.endsWith('exit code 0')) console.log(log.slice(-2_000))
  return `${transport}, ${how}`
}

async function endOf(child) {
  const [code, signal] = await once(child, 'exit')
  return signal === null ? `exit code ${code}` : signal
}

/** What an embedding service does, without a server. */
async function library() {
  const engine = await createEngine({ dataDir: folder, shards: 2 })
  const ana = await engine.connect({ userId: 'ana', name: 'Ana' })
  const { groupId } = await ana.createGroup({ kind: 'group', name: 'Kitchen', members: ['bruno'] })
  for (let i = 0; i < 300; i++) await ana.sendMessage({ groupId, content: `número ${i}`, tempId: `t${i}` })
  await engine.close()
}
