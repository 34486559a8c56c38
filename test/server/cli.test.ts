import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAuthenticator } from '../../server/auth.ts'
import { runCli } from '../../server/cli.ts'
import { settings } from '../../server/config.ts'

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
  it('prints a token that a server with the same settings takes', async () => {
    const env = { JWT_SECRET: secret, JWT_ISSUER: 'me', JWT_AUDIENCE: 'chat' }
    const { code, out, err } = await run(['token', '--user', 'ana', '--name', 'Ana', '--ttl', '30m'], env)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const log = () => {}
    const authenticate = await createAuthenticator({
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

  it('shares the made secret with the server', async () => {
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
    [['--user', 'ana', '--ttl', 'soon'], '--ttl takes a time such as 30m, 12h or 7d'],
    [['--user', 'ana', '--ttl', '0s'], '--ttl takes a time such as 30m, 12h or 7d'],
  ])('refuses %j', async (args, message) => {
    expect(await run(['token', ...args])).toEqual({ code: 1, out: '', err: `tertulia: ${message}` })
  })

  it('makes none that no server accepts: without a data folder, or beside a server with its own key', async () => {
    const missing = join(dataDir, 'missing')
    const elsewhere = await run(['token', '--user', 'ana'], { DATA_DIR: missing })
    expect(elsewhere).toMatchObject({ code: 1, out: '' })
    expect(elsewhere.err).toContain(`there is no data folder ${missing}; use the DATA_DIR or the JWT_SECRET`)
    expect(existsSync(missing)).toBe(false)
    writeFileSync(join(dataDir, 'tertulia.db'), '')
    const ofAnother = await run(['token', '--user', 'ana'])
    expect(ofAnother).toMatchObject({ code: 1, out: '' })
    expect(ofAnother.err).toContain('has its key from elsewhere')
    expect(existsSync(join(dataDir, 'jwt-secret'))).toBe(false)
  })

  // IDN-1
  it('writes the claims that the settings name', async () => {
    const env = { JWT_SECRET: secret, JWT_USER_CLAIM: 'uid', JWT_NAME_CLAIM: 'nick' }
    const { out } = await run(['token', '--user', 'ana', '--name', 'Ana'], env)
    expect(decodeJwt(out)).toMatchObject({ uid: 'ana', nick: 'Ana' })
  })

  it('makes none where only the issuer’s public key is known', async () => {
    const { code, err } = await run(['token', '--user', 'ana'], {
      JWT_JWKS_URL: 'https://issuer.example/keys',
    })
    expect(code).toBe(1)
    expect(err).toContain('tokens are made by the issuer')
  })
})

describe('tertulia serve', () => {
  it.each([
    [{ PORT: 'abc' }, 'tertulia: PORT is "abc", but it takes a whole number from 0 to 65535'],
    [{ NODE_ENV: 'production' }, 'tertulia: in production a key is needed: set JWT_SECRET'],
  ])('does not start with %j, and says why in one line', async (env, message) => {
    const { code, err } = await run(['serve'], env)
    expect(code).toBe(1)
    expect(err).toContain(message)
    expect(err.split('\n')).toHaveLength(1)
  })

  it('does not start where the data folder is none', async () => {
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
      await expect.poll(() => out.length).toBe(3)
      const link = /^Try it: (http:\/\/127\.0\.0\.1:\d+)\/#token=(\S+)$/.exec(out[1] ?? '')
      const headers = { authorization: `Bearer ${link?.[2]}` }
      expect((await fetch(`${link?.[1]}/api/chat/groups`, { headers })).status).toBe(200)
      expect(out[2]).toContain(link?.[2] ?? 'no token')
      process.emit(signal)
      expect(await code).toBe(0)
    },
  )
})

describe('tertulia', () => {
  it('helps, and tells its version', async () => {
    expect((await run(['--help'])).out).toContain('tertulia token --user ID')
    const { out } = await run(['--version'], { TRANSPORT: 'node' })
    expect(out).toMatch(/^\d+\.\d+\.\d+\ntransport node: TRANSPORT is node; Node v\d+/)
  })

  it('helps with every setting, and with each command', async () => {
    const { out } = await run(['--help'])
    for (const { env } of Object.values(settings)) expect(out).toContain(`  ${env} (`)
    for (const command of ['serve', 'token', 'backup', 'stats']) {
      const { code, out: own } = await run([command, '--help'])
      expect({ code, own }).toEqual({ code: 0, own: expect.stringContaining(`tertulia ${command}`) })
      expect((await run(['help', command])).out).toBe(own)
    }
  })

  it.each([
    [['dance'], 'there is no command dance; there are serve, token, backup, stats'],
    [['serve', 'twice'], 'serve does not take twice: tertulia serve'],
    [['--loud'], 'serve has no option --loud: tertulia serve'],
    [['--port', '5000'], '--port is no option but a variable: PORT=5000 tertulia serve'],
    [['serve', '--data-dir=/x'], '--data-dir is no option but a variable: DATA_DIR=/x tertulia serve'],
    [
      ['token', '--jwt-secret', 'hunter2'],
      '--jwt-secret is no option but a variable: JWT_SECRET=… tertulia token',
    ],
    [['token'], 'token needs --user ID, such as: tertulia token --user ana'],
    [['token', '--user'], '--user needs a value: tertulia token --user ID [--name NAME] [--ttl TIME]'],
    [['backup'], 'backup needs FILE: tertulia backup FILE'],
    [['backup', '--user', 'ana', 'x.db'], 'backup has no option --user: tertulia backup FILE'],
    [['stats', '--watch=1'], '--watch takes no value: tertulia stats [URL] [--watch]'],
  ])('does not understand %j, and says what to write', async (args, message) => {
    expect(await run(args)).toEqual({ code: 2, out: '', err: `${message}\nSee tertulia --help.` })
  })
})
