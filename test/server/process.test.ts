import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../support/engines.ts'
import { SocketClient } from '../support/socket-client.ts'
import { transportEnv } from '../support/transports.ts'

const main = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url))

/** The built server as a process, once it has printed its address. */
async function startProcess(
  env: Record<string, string>,
  log: 'inherit' | number = 'inherit',
): Promise<{ child: ChildProcess; port: number; token: string }> {
  const { PATH } = process.env
  const child = spawn(process.execPath, [main, 'serve'], {
    env: {
      PATH,
      PORT: '0',
      HOST: '127.0.0.1',
      DATA_DIR: temporaryFolder(),
      LOG_LEVEL: 'warn',
      ...transportEnv,
      ...env,
    },
    stdio: ['ignore', 'pipe', log],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said: string[] = []
  let port = 0
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    said.push(line)
    port = Number(/^Try it: http:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1] ?? port)
    const token = /^Token of the user .*: (\S+)$/.exec(line)?.[1]
    if (token !== undefined) return { child, port, token }
  }
  throw new Error(`it ended: ${said.join('\n')}`)
}

describe('the server process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'exits with 0 on %s after notifying its clients',
    async (signal) => {
      const { child, port, token } = await startProcess({})
      const client = new SocketClient(port, { token })
      await client.next('connected')
      const exit = once(child, 'exit')
      child.kill(signal)
      expect((await client.next('server_shutdown')).fields).toMatchObject({
        reason: `the server received ${signal}`,
      })
      expect((await client.closed()).code).toBe(1001)
      expect(await exit).toEqual([0, null])
    },
  )

  it('restarts on the same data, and accepts the token that it printed before', async () => {
    const folder = temporaryFolder()
    const first = await startProcess({ DATA_DIR: folder })
    const exit = once(first.child, 'exit')
    first.child.kill('SIGKILL')
    await exit
    const second = await startProcess({ DATA_DIR: folder })
    const client = new SocketClient(second.port, { token: first.token })
    expect((await client.next('connected')).fields.userId).toBe('guest')
    client.ws.terminate()
  })

  it('prints one line with the reason if it cannot start, and exits with 1', async () => {
    const child = spawn(process.execPath, [main], { env: { PORT: 'abc' }, stdio: ['ignore', 'pipe', 'pipe'] })
    const lines: string[] = []
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
    expect(await once(child, 'close')).toEqual([1, null])
    expect(lines).toEqual(['tertulia: PORT must be an integer from 0 to 65535 (got "abc")'])
  })
})

// Writes to this device fail as on a full disk.
describe.runIf(existsSync('/dev/full'))('a process that writes to a full disk', () => {
  const openFull = (): number => {
    const full = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(full))
    return full
  }

  it('continues as a server without its log, and stops in order', async () => {
    const { child, port } = await startProcess({ LOG_LEVEL: 'debug' }, openFull())
    for (let i = 0; i < 3; i++) expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('ends as another command, with the reason', () => {
    const env = { PATH: process.env['PATH'], DATA_DIR: temporaryFolder(), JWT_SECRET: 'x'.repeat(32) }
    const args = [main, 'token', '--user', 'ana']
    const { status, stderr } = spawnSync(process.execPath, args, {
      env,
      stdio: ['ignore', openFull(), 'pipe'],
    })
    expect([status, stderr.toString()]).toEqual([
      1,
      expect.stringMatching(/^tertulia: the output cannot be written: ENOSPC.*\n$/),
    ])
  })
})
