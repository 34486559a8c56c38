import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { aCertificate } from '../support/certificate.ts'
import { eventually } from '../support/conditions.ts'
import { temporaryFolder } from '../support/engines.ts'
import { CommandProcess, childrenOf, envOf, FrontServer, occupiedPort } from '../support/front-server.ts'
import { tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'

const KEY = 'k'.repeat(32)

async function stopped(command: CommandProcess): Promise<number | string | null> {
  command.child.kill('SIGTERM')
  return await command.exited
}

describe('tertulia serve --role', () => {
  it('runs an engine and a front by hand, over TCP', async () => {
    const dataDir = temporaryFolder()
    const env = envOf(dataDir, { LINK_KEY: KEY })
    const engine = new CommandProcess(['serve', '--role', 'engine', '--listen', 'tcp://127.0.0.1:0'], env)
    const [, address = ''] = await engine.line(/the engine listens for fronts at (tcp:\S+)$/)
    const front = new CommandProcess(['serve', '--role', 'front', '--engine', address], env)
    const [, port] = await front.line(/listens on http:\/\/127\.0\.0\.1:(\d+)$/)
    const client = new SocketClient(Number(port), { token: await tokenOf('ana') })
    await client.next('connected')
    client.send('create_group', 1, { kind: 'group', groupId: 'team' })
    await client.next('group')
    expect(await stopped(front)).toBe(0)
    expect((await client.closed()).code).toBe(1001)
    expect(await stopped(engine)).toBe(0)
    expect([...front.err, ...engine.err]).toEqual([])
  })

  it('runs both over TLS; the front checks the certificate of the engine', async () => {
    const dataDir = temporaryFolder()
    const { tlsCert, tlsKey } = await aCertificate()
    const engine = new CommandProcess(
      ['serve', '--role', 'engine', '--listen', 'tls://127.0.0.1:0'],
      envOf(dataDir, { LINK_KEY: KEY, LINK_CERT: tlsCert, LINK_CERT_KEY: tlsKey }),
    )
    const [, address = ''] = await engine.line(/the engine listens for fronts at (tls:\S+)$/)
    const env = envOf(dataDir, { LINK_KEY: KEY, LINK_CERT: tlsCert })
    const front = new CommandProcess(['serve', '--role', 'front', '--engine', address], env)
    const [, port] = await front.line(/listens on http:\/\/127\.0\.0\.1:(\d+)$/)
    const client = new SocketClient(Number(port), { token: await tokenOf('ana') })
    await client.next('connected')
    expect([await stopped(front), await stopped(engine)]).toEqual([0, 0])
    expect([...front.err, ...engine.err]).toEqual([])
  })

  it('refuses a front with another key, and says so', async () => {
    const folder = temporaryFolder()
    const address = `unix:${join(folder, 'own.sock')}`
    const engine = new CommandProcess(
      ['serve', '--role', 'engine', '--listen', address],
      envOf(folder, { LINK_KEY: KEY }),
    )
    await engine.line(/listens for fronts/)
    const front = new CommandProcess(
      ['serve', '--role', 'front', '--engine', address],
      envOf(folder, { LINK_KEY: KEY.replaceAll('k', 'l') }),
    )
    expect(await front.exited).toBe(1)
    expect(front.err.join('\n')).toMatch(/^tertulia: .*LINK_KEY/)
    expect(await stopped(engine)).toBe(0)
    expect(existsSync(join(folder, 'own.sock'))).toBe(false)
  })

  it.each([
    [['--role', 'engine', '--listen', 'unix:./x.sock'], {}, 'require the same LINK_KEY'],
    [
      ['--role', 'engine', '--listen', 'nowhere'],
      { LINK_KEY: KEY },
      'unix:/path, tcp://host:port or tls://host:port',
    ],
    [
      ['--role', 'engine', '--listen', 'tls://127.0.0.1:0'],
      { LINK_KEY: KEY },
      'set LINK_CERT and LINK_CERT_KEY',
    ],
    [['--role', 'front', '--engine', 'tcp://127.0.0.1:1'], { LINK_KEY: 'short' }, 'LINK_KEY must be'],
    [
      ['--role', 'front', '--engine', 'tcp://127.0.0.1:1'],
      { LINK_KEY: KEY, JWT_SECRET: '', NODE_ENV: '' },
      'a front requires the key of the tokens',
    ],
  ])('does not start with %j and %j', async (args, env, message) => {
    const command = new CommandProcess(['serve', ...args], envOf(temporaryFolder(), env))
    expect(await command.exited).toBe(1)
    expect(command.err).toHaveLength(1)
    expect(command.err[0]).toContain(message)
  })
})

describe('tertulia serve with FRONTS', () => {
  it('does not start on a port in use, and leaves no process', async () => {
    const port = await occupiedPort()
    const env = envOf(temporaryFolder(), { FRONTS: '2', PORT: String(port) })
    const command = new CommandProcess(['serve'], env)
    expect(await command.exited).toBe(1)
    expect(command.err).toEqual([
      `tertulia: cannot listen on port ${port} of 127.0.0.1: PORT is in use, or HOST is not an address of this machine`,
    ])
  })

  it('does not start on the data folder of a running server, which continues', async () => {
    const dataDir = temporaryFolder()
    const server = await FrontServer.start(dataDir)
    const second = new CommandProcess(['serve'], envOf(dataDir, { FRONTS: '1' }))
    expect(await second.exited).toBe(1)
    expect(second.err.join('\n')).toMatch(/^tertulia: /)
    const client = new SocketClient(server.port, { token: await tokenOf('ana') })
    await client.next('connected')
    expect(await server.deploy('--engine-only')).toEqual(['the engine is replaced'])
    client.ws.terminate()
  })

  it('ends its processes when it is killed', async () => {
    const server = await FrontServer.start(temporaryFolder(), { LOG_LEVEL: 'fatal' })
    const { engine, fronts } = server.pids()
    server.command.child.kill('SIGKILL')
    await server.command.exited
    await eventually(() => {
      for (const pid of [engine, ...fronts]) expect(isRunning(pid)).toBe(false)
    })
  })
})

describe('tertulia deploy', () => {
  it('is not what SIGHUP does to a server that starts', async () => {
    const command = new CommandProcess(['serve'], envOf(temporaryFolder(), { FRONTS: '1' }))
    await eventually(() => expect(childrenOf(command.child.pid as number).length).toBeGreaterThan(0))
    command.child.kill('SIGHUP')
    await command.line(/listens on/)
    command.child.kill('SIGTERM')
    expect(await command.exited).toBe(0)
  })

  it('also runs on SIGHUP', async () => {
    const server = await FrontServer.start(temporaryFolder())
    const before = server.pids()
    server.command.child.kill('SIGHUP')
    await eventually(() => {
      const { engine, fronts } = server.pids()
      expect(fronts).toHaveLength(2)
      for (const pid of [before.engine, ...before.fronts]) expect([engine, ...fronts]).not.toContain(pid)
    })
    expect(await server.stop()).toBe(0)
    expect(server.command.err).toEqual([])
  })

  it('says that there is nothing to deploy', async () => {
    const command = new CommandProcess(['deploy'], envOf(temporaryFolder(), {}))
    expect(await command.exited).toBe(1)
    expect(command.err.join('\n')).toMatch(/^tertulia: no server with fronts runs here/)
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
