import { type ChildProcess, spawn } from 'node:child_process'
import { createECDH, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { aCertificate } from './support/certificate.ts'
import { eventually } from './support/conditions.ts'
import { startInline, temporaryFolder } from './support/engines.ts'
import { SECRET, ServerProcess, tokenOf } from './support/server-process.ts'
import { SocketClient } from './support/socket-client.ts'
import { TcpProxy } from './support/tcp-proxy.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

function codeOf(example: string): string {
  return readFileSync(join(root, 'examples', example), 'utf8')
}

/** Runs an example as its reader would: in a folder of its own where the built package is installed. */
function run(
  example: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; said: () => string } {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules', 'tertulia'))
  for (const name of ['web-push', 'socket.io-client']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  writeFileSync(join(folder, 'example.mjs'), codeOf(example))
  const child = spawn(process.execPath, ['example.mjs', ...args], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'development', JWT_SECRET: '', LOG_LEVEL: 'silent', ...env },
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return { child, said: () => output }
}

describe('examples/', () => {
  it('first-chat.mjs: Bob receives the message of Alice, and the process exits', async () => {
    const { child, said } = run('first-chat.mjs')
    await eventually(() => expect([said(), child.exitCode]).toEqual(['Alice: olá\n', 0]))
  })

  it('client-chat.mjs: the client receives its own message from a real server', async () => {
    const server = await ServerProcess.start(temporaryFolder())
    const { said } = run('client-chat.mjs', [`http://127.0.0.1:${server.port}`, await tokenOf('ana')])
    await eventually(() => expect(said()).toBe('(connecting)\n(connected)\nana: olá\n'))
  })
})

describe('examples/socket-io/', () => {
  // SIO-1
  it('node.mjs: the client connects, and its message is stored', async () => {
    const server = await ServerProcess.start(temporaryFolder())
    const { said } = run('socket-io/node.mjs', [`http://127.0.0.1:${server.port}`, await tokenOf('ana')])
    await eventually(() => expect(said()).toBe('(connected as ana)\n(stored as 2) olá\n'))
  })

  it('node.mjs: after a restart of the server it receives what it missed', async () => {
    const dataDir = temporaryFolder()
    const first = await ServerProcess.start(dataDir)
    const proxy = await TcpProxy.start(first.port)
    const { said } = run('socket-io/node.mjs', [`http://127.0.0.1:${proxy.port}`, await tokenOf('ana')])
    await eventually(() => expect(said()).toContain('(stored as 2)'))
    await first.stop()
    const engine = await startInline({ dataDir })
    const tablet = await engine.connect({ userId: 'ana' })
    const [listing] = (await tablet.getGroups({})).groups
    const groupId = listing?.group.groupId ?? ''
    await tablet.sendMessage({ groupId, content: 'missed', tempId: 't1' })
    await engine.close()
    proxy.target = (await ServerProcess.start(dataDir)).port
    await eventually(() => expect(said()).toMatch(/connected as ana\)\n(ana: olá\n)?ana: missed\n$/))
  })
})

describe('examples/hooks.test.mjs', () => {
  it('passes', async () => {
    const { child, said } = run('hooks.test.mjs')
    await eventually(() => expect(child.exitCode).not.toBe(null))
    // The reporter depends on the version of Node.
    expect([child.exitCode, said()]).toEqual([0, expect.stringMatching(/^. pass 2$/m)])
  })
})

describe('examples/ of a service', () => {
  it('echo-bot.mjs: the bot comes when it is invited, echoes, and knows a command', async () => {
    const { said } = run('echo-bot.mjs')
    const chat = ['Ana: olá', 'Echo: you said olá', 'Ana: /shout bread is ready', 'Echo: BREAD IS READY']
    // The answers come in their order, in between or behind what is asked.
    await eventually(() => expect(said().trim().split('\n').sort()).toEqual([...chat].sort()))
  })

  it('moderation.mjs: a message is refused, another is changed', async () => {
    const { said } = run('moderation.mjs', [], { PORT: '0', JWT_SECRET: SECRET })
    const port = await portIn(said)
    const ana = new SocketClient(port, { token: await tokenOf('ana') })
    await ana.next('connected')
    ana.send('create_group', 1, { kind: 'group', groupId: 'kitchen' })
    await ana.next('group')
    ana.send('send_message', 2, { groupId: 'kitchen', content: 'see http://x.example', tempId: 't1' })
    expect((await ana.next('message_error')).fields).toMatchObject({
      tempId: 't1',
      error: { code: 'rejected', message: 'links only with https, please' },
    })
    ana.send('send_message', 3, { groupId: 'kitchen', content: 'you Nitwit', tempId: 't2' })
    expect((await ana.next('message_sent')).fields.message.content).toBe('you ***')
    await eventually(() => expect(said()).toContain('ana was rude'))
    ana.ws.terminate()
  })

  it('embedded.mjs: a user of the service receives the messages of the service', async () => {
    const { said, child } = run('embedded.mjs', [], { PORT: '0', JWT_SECRET: SECRET })
    const port = await portIn(said)
    const ana = new SocketClient(port, { token: await tokenOf('ana') })
    await ana.next('connected')
    let asked = 100
    await eventually(async () => {
      asked += 1
      const mine = asked
      ana.send('get_history', mine, { groupId: 'order-17' })
      const answer = await ana.first(({ ref }) => ref === mine)
      expect(answer.fields).toMatchObject({ messages: [{ content: 'Thank you! We are baking.' }] })
    })
    ana.send('send_message', 2, { groupId: 'order-17', content: 'with seeds?', tempId: 't1' })
    await eventually(() => expect(said()).toContain('ana: with seeds?'))
    child.kill('SIGTERM')
    await eventually(() => expect(child.exitCode).toBe(0))
  })

  it('web-push.mjs: who is away gets a notification, sealed for their browser', async () => {
    const { tlsCert, tlsKey } = await aCertificate()
    const pushed: { body: Buffer; headers: IncomingHttpHeaders }[] = []
    const certificate = { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) }
    const service = createServer(certificate, (request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        pushed.push({ body: Buffer.concat(parts), headers: request.headers })
        response.writeHead(201).end()
      })
    })
    service.listen(0, '127.0.0.1')
    await once(service, 'listening')
    onTestFinished(() => void service.close())
    const browser = createECDH('prime256v1')
    browser.generateKeys()
    const subscription = {
      endpoint: `https://localhost:${(service.address() as AddressInfo).port}/push/bob`,
      keys: { p256dh: browser.getPublicKey('base64url'), auth: randomBytes(16).toString('base64url') },
    }
    const { said } = run('web-push.mjs', [JSON.stringify(subscription)], {
      NODE_EXTRA_CA_CERTS: tlsCert,
    })
    await eventually(() => expect(said()).toBe('pushed to bob\n'))
    expect(pushed).toHaveLength(1)
    expect(pushed[0]?.headers).toMatchObject({
      'content-encoding': 'aes128gcm',
      authorization: expect.stringMatching(/^vapid t=/),
    })
    expect(pushed[0]?.body.toString('latin1')).not.toContain('are you there')
  })
})

/** The port that a server says it listens on. */
async function portIn(said: () => string): Promise<number> {
  await eventually(() => expect(said()).toMatch(/:\d+\n/))
  return Number(/:(\d+)\n/.exec(said())?.[1])
}

describe('README.md', () => {
  it('shows no JavaScript modules other than the examples', () => {
    const withoutComments = (code: string) =>
      code
        .replace(/^\/\/.*\n/gm, '')
        .replace(/ +/g, ' ')
        .trim()
    const examples = readdirSync(join(root, 'examples'))
      .filter((name) => name.endsWith('.mjs'))
      .map((name) => withoutComments(codeOf(name)))
    const shown = readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```js\n(import .*?)^```/gms)
    for (const [, code = ''] of shown) expect(examples).toContain(withoutComments(code))
  })
})
