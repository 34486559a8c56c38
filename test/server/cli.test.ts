import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuthenticator } from '../../server/auth.ts'
import { runCli } from '../../server/cli.ts'
import { resolveSettings, settings } from '../../server/config.ts'
import { printTrialLink } from '../../server/trial-link.ts'

const secret = 'a secret of thirty-two bytes, and more'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tertulia-cli-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

async function run(args: string[], env: Record<string, string> = {}) {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(args, {
    env: { DATA_DIR: dataDir, NODE_ENV: 'development', ...env },
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

describe('tertulia token', () => {
  it('prints a token that a server with the same settings accepts', async () => {
    const env = { JWT_SECRET: secret, JWT_ISSUER: 'me', JWT_AUDIENCE: 'chat' }
    const { code, out, err } = await run(['token', '--user', 'ana', '--name', 'Ana', '--ttl', '30m'], env)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const log = () => {}
    const authenticate = createAuthenticator({
      key: { kind: 'secret', secret },
      issuer: 'me',
      audience: 'chat',
      logger: { info: log, warn: log, error: log },
      now: Date.now,
    })
    expect((await authenticate(out)).identity).toMatchObject({ userId: 'ana', name: 'Ana' })
    const { iat = 0, exp = 0 } = decodeJwt(out)
    expect(exp - iat).toBe(1_800)
  })

  it('uses the secret that the server created', async () => {
    const first = await run(['token', '--user', 'ana'])
    const second = await run(['token', '--user', 'ana', '--ttl', '7d'])
    expect([first.code, second.code]).toEqual([0, 0])
    const { iat = 0, exp = 0 } = decodeJwt(first.out)
    expect(exp - iat).toBe(12 * 3_600)
  })

  it.each([
    [['--user', ''], '--user must be 1 to 128 bytes of UTF-8'],
    [['--user', 'x'.repeat(129)], '--user must be 1 to 128 bytes of UTF-8'],
    [
      ['--user', 'ana', '--name', 'x'.repeat(257)],
      '--name must be 1 to 256 bytes of UTF-8 without control characters and bidirectional overrides',
    ],
    [['--user', 'ana', '--ttl', 'soon'], '--ttl must be a duration such as 30m, 12h or 7d'],
    [['--user', 'ana', '--ttl', '0s'], '--ttl must be a duration such as 30m, 12h or 7d'],
  ])('refuses %j', async (args, message) => {
    expect(await run(['token', ...args])).toEqual({
      code: 2,
      out: '',
      err: `${message}\nSee tertulia --help.`,
    })
  })

  it('refuses to print a token that no server would accept', async () => {
    const missing = join(dataDir, 'missing')
    const elsewhere = await run(['token', '--user', 'ana'], { DATA_DIR: missing })
    expect(elsewhere).toMatchObject({ code: 1, out: '' })
    expect(elsewhere.err).toContain(
      `the data folder ${missing} does not exist; use the DATA_DIR or the JWT_SECRET`,
    )
    expect(existsSync(missing)).toBe(false)
    writeFileSync(join(dataDir, 'tertulia.db'), '')
    const ofAnother = await run(['token', '--user', 'ana'])
    expect(ofAnother).toMatchObject({ code: 1, out: '' })
    expect(ofAnother.err).toContain('uses another key')
    expect(existsSync(join(dataDir, 'jwt-secret'))).toBe(false)
  })

  // IDN-1
  it('uses the configured claims', async () => {
    const env = { JWT_SECRET: secret, JWT_USER_CLAIM: 'uid', JWT_NAME_CLAIM: 'nick' }
    const { out } = await run(['token', '--user', 'ana', '--name', 'Ana'], env)
    expect(decodeJwt(out)).toMatchObject({ uid: 'ana', nick: 'Ana' })
  })

  it('refuses if only the issuer’s public key is configured', async () => {
    const { code, err } = await run(['token', '--user', 'ana'], {
      JWT_JWKS_URL: 'https://issuer.example/keys',
    })
    expect(code).toBe(1)
    expect(err).toContain('tokens are signed by the issuer')
  })
})

describe('tertulia serve', () => {
  it.each([
    [{ PORT: 'abc' }, 'tertulia: PORT must be an integer from 0 to 65535 (got "abc")'],
    [{ NODE_ENV: 'production' }, 'tertulia: NODE_ENV=production requires a key: set JWT_SECRET'],
  ])('does not start with %j, and prints the reason in one line', async (env, message) => {
    const { code, err } = await run(['serve'], env)
    expect(code).toBe(1)
    expect(err).toContain(message)
    expect(err.split('\n')).toHaveLength(1)
  })

  it('does not start if the data folder is not a folder', async () => {
    const file = join(dataDir, 'file')
    writeFileSync(file, '')
    const { code, err } = await run(['serve'], {
      DATA_DIR: file,
      JWT_SECRET: secret,
      SHARDS: 'inline',
      LOG_LEVEL: 'silent',
    })
    expect(code).toBe(1)
    expect(err).toContain(file)
    expect(err.split('\n')).toHaveLength(1)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'prints a link and a token, and ends with 0 on %s',
    async (signal) => {
      const out: string[] = []
      const env = { DATA_DIR: dataDir, PORT: '0', HOST: '127.0.0.1', SHARDS: 'inline', LOG_LEVEL: 'silent' }
      const code = runCli([], { env, out: (line) => void out.push(line), err: (line) => void out.push(line) })
      await expect.poll(() => out.length).toBe(4)
      const link = /^Try it: (http:\/\/127\.0\.0\.1:\d+)\/#trial=([\w-]{22}) \(in two windows/.exec(
        out[1] ?? '',
      )
      const token = /: (\S+)$/.exec(out[2] ?? '')?.[1]
      const headers = { authorization: `Bearer ${token}` }
      expect((await fetch(`${link?.[1]}/api/chat/groups`, { headers })).status).toBe(200)
      const admin = /^Dashboard: \S+\/admin#token=(\S+)$/.exec(out[3] ?? '')?.[1]
      const live = await fetch(`${link?.[1]}/api/admin/live`, {
        headers: { authorization: `Bearer ${admin}` },
      })
      expect(live.status).toBe(200)
      process.emit(signal)
      expect(await code).toBe(0)
    },
  )

  it('prints no links to pages that it does not serve', async () => {
    const out: string[] = []
    const given = resolveSettings({ jwtSecret: secret, nodeEnv: 'development', web: 'off' })
    const print = (line: string) => void out.push(line)
    await printTrialLink(given, 'http://a.example', { env: {}, out: print, err: print })
    expect(out).toEqual([expect.stringMatching(/^Token of the user/)])
  })
})

describe('tertulia', () => {
  it('prints help, and its version', async () => {
    expect((await run(['--help'])).out).toContain('tertulia token --user ID')
    const { out } = await run(['--version'], { TRANSPORT: 'node' })
    expect(out).toMatch(/^\d+\.\d+\.\d+\ntransport node: TRANSPORT is node; Node v\d+/)
  })

  it('prints help for every setting and each command', async () => {
    const { out } = await run(['--help'])
    for (const { env } of Object.values(settings)) expect(out).toContain(`  ${env} (`)
    for (const command of ['serve', 'token', 'backup', 'import', 'stats']) {
      const { code, out: own } = await run([command, '--help'])
      expect({ code, own }).toEqual({ code: 0, own: expect.stringContaining(`tertulia ${command}`) })
      expect((await run(['help', command])).out).toBe(own)
    }
  })

  it.each([
    [['dance'], 'unknown command: dance; commands: serve, deploy, token, backup, import, stats'],
    [['help', 'dance'], 'unknown command: dance; commands: serve, deploy, token, backup, import, stats'],
    [
      ['stats', 'localhost:4040'],
      'localhost:4040 is not the URL of a server; example: http://localhost:4040',
    ],
    [
      ['serve', 'twice'],
      'unexpected argument: twice; usage: tertulia serve [--role ROLE] [--listen ADDRESS] [--engine ADDRESS]',
    ],
    [
      ['--loud'],
      'unknown option: --loud; usage: tertulia serve [--role ROLE] [--listen ADDRESS] [--engine ADDRESS]',
    ],
    ...[
      ['--role', 'engine'],
      ['--role', 'front', '--listen', 'unix:x'],
      ['--engine', 'unix:x'],
      ['--role', 'both'],
    ].map(
      (options) =>
        [
          ['serve', ...options],
          'the roles are: --role engine --listen ADDRESS, and --role front --engine ADDRESS; example: tertulia serve --role engine --listen unix:./link.sock',
        ] as [string[], string],
    ),
    [['--fronts', '2'], '--fronts is not an option; set the environment variable: FRONTS=2 tertulia serve'],
    [['--port', '5000'], '--port is not an option; set the environment variable: PORT=5000 tertulia serve'],
    [
      ['serve', '--data-dir=/x'],
      '--data-dir is not an option; set the environment variable: DATA_DIR=/x tertulia serve',
    ],
    [
      ['token', '--jwt-secret', 'hunter2'],
      '--jwt-secret is not an option; set the environment variable: JWT_SECRET=… tertulia token',
    ],
    [['token'], 'token requires --user ID; example: tertulia token --user ana'],
    [
      ['token', '--user'],
      '--user requires a value; usage: tertulia token --user ID [--name NAME] [--admin] [--ttl TIME]',
    ],
    [['backup'], 'backup requires FILE; usage: tertulia backup FILE'],
    [['import'], 'import requires FILE; usage: tertulia import FILE'],
    [['backup', '--user', 'ana', 'x.db'], 'unknown option: --user; usage: tertulia backup FILE'],
    [['stats', '--watch=1'], '--watch does not accept a value; usage: tertulia stats [URL] [--watch]'],
  ])('rejects %j, and shows the usage', async (args, message) => {
    expect(await run(args)).toEqual({ code: 2, out: '', err: `${message}\nSee tertulia --help.` })
  })
})
