import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ConfigError,
  configurationTable,
  resolveSettings,
  settings,
  settingsFromEnv,
} from '../../server/config.ts'
import { signingKey } from '../../server/signing-key.ts'

const secret = 'x'.repeat(32)

/** The message of the refusal of one variable. */
function refusal(env: Record<string, string>): string {
  try {
    resolveSettings(settingsFromEnv(env))
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message
  }
  throw new Error('nothing was refused')
}

describe('settings', () => {
  it('have the defaults of the table where nothing is set', () => {
    expect(resolveSettings({ nodeEnv: 'development' })).toMatchObject({
      port: 4040,
      host: '0.0.0.0',
      dataDir: './data',
      durability: 'process',
      fanout: 'immediate',
      maxConnections: 20_000,
      maxSessionsPerUser: 16,
      maxMessageBytes: 65_536,
      maxBackpressure: 1_048_576,
      rateLimit: 100,
      corsOrigins: [],
      jwtSecret: undefined,
      logLevel: 'info',
    })
  })

  it('come from the environment, and an empty variable counts as not set', () => {
    const env = {
      PORT: '0',
      SHARDS: 'inline',
      CORS_ORIGINS: 'https://a.example, http://b.example:81',
      HOST: '',
    }
    expect(settingsFromEnv(env)).toEqual({
      port: 0,
      shards: 'inline',
      corsOrigins: ['https://a.example', 'http://b.example:81'],
    })
  })

  it('leave at least one thread for the shards', () => {
    expect(resolveSettings({ nodeEnv: 'test' }).shards).toBeGreaterThanOrEqual(1)
  })

  it.each([
    ['PORT', 'abc', 'PORT is "abc", but it takes a whole number from 0 to 65535'],
    ['PORT', '65536', 'PORT is 65536, but it takes a whole number from 0 to 65535'],
    ['PORT', '4040.5', 'PORT is "4040.5", but it takes a whole number from 0 to 65535'],
    ['SHARDS', '0', 'SHARDS is 0, but it takes a whole number from 1 to 64, or inline'],
    ['SHARDS', 'many', 'SHARDS is "many", but it takes a whole number from 1 to 64, or inline'],
    ['DURABILITY', 'paper', 'DURABILITY is "paper", but it takes one of memory, process, disk'],
    ['FANOUT', 'later', 'FANOUT is "later", but it takes one of immediate, committed'],
    ['MAX_MESSAGE_BYTES', '10', 'MAX_MESSAGE_BYTES is 10, but it takes a whole number from 1024 to 16777216'],
    ['RATE_LIMIT', '-1', 'RATE_LIMIT is -1, but it takes a whole number from 0 to 1000000'],
    ['TRUST_PROXY', 'yes', 'TRUST_PROXY is "yes", but it takes true or false'],
    [
      'CORS_ORIGINS',
      'a.example',
      'CORS_ORIGINS is ["a.example"], but it takes a comma-separated list of origins',
    ],
    ['CORS_ORIGINS', 'https://a.example/chat', 'but it takes a comma-separated list of origins'],
    [
      'JWT_JWKS_URL',
      'file:///etc/keys',
      'JWT_JWKS_URL is "file:///etc/keys", but it takes an http or https address',
    ],
    ['JWT_PUBLIC_KEY', 'ssh-rsa AAAA', 'JWT_PUBLIC_KEY takes one public key in PEM'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL is "loud", but it takes one of fatal, error, warn'],
  ])('refuse %s=%s and say what it may be', (variable, value, message) => {
    expect(refusal({ [variable]: value })).toContain(message)
  })

  it('refuse a short secret without showing it', () => {
    expect(refusal({ JWT_SECRET: 'hunter2' })).toMatch(/^JWT_SECRET takes a secret of 32 to 4096 bytes/)
  })

  it('never show a key that was set in the wrong place', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const inside = (pem: string) => pem.split('\n')[1]?.slice(0, 20) as string
    for (const [variable, value] of [
      ['JWT_PUBLIC_KEY', privateKey],
      ['JWT_PUBLIC_KEY', `${publicKey}\n${privateKey}`],
      ['JWT_PUBLIC_KEY', privateKey.replaceAll('PRIVATE KEY', 'PUBLIC KEY').replace('-----', '----')],
      ['JWT_PUBLIC_KEY', inside(privateKey)],
      ['JWT_JWKS_URL', privateKey],
      ['PORT', privateKey],
      ['CORS_ORIGINS', privateKey],
      ['JWT_SECRET', publicKey],
    ] as const) {
      const message = refusal({ [variable]: value })
      expect(message).toContain(`${variable} takes `)
      expect(message).not.toContain(inside(value))
      expect(message).not.toContain(inside(privateKey))
    }
  })

  it('given to createServer pass the same rule', () => {
    expect(() => resolveSettings({ port: -1 })).toThrow(
      'PORT is -1, but it takes a whole number from 0 to 65535',
    )
  })

  it('take one kind of key only', () => {
    expect(refusal({ JWT_SECRET: secret, JWT_JWKS_URL: 'https://issuer.example/keys' })).toBe(
      'set only one of JWT_SECRET and JWT_JWKS_URL',
    )
  })

  it('refuse to start in production without a key', () => {
    expect(refusal({ NODE_ENV: 'production' })).toContain(
      'JWT_SECRET (32 bytes at least), JWT_PUBLIC_KEY or JWT_JWKS_URL',
    )
    expect(resolveSettings(settingsFromEnv({ NODE_ENV: 'production', JWT_SECRET: secret })).jwtSecret).toBe(
      secret,
    )
  })

  it('stand all in the table of the docs', () => {
    const table = configurationTable().split('\n')
    expect(table).toContain(
      '| `PORT` | `port` | `4040` | a whole number from 0 to 65535 | The TCP port; 0 takes a free one. |',
    )
    for (const { env } of Object.values(settings)) {
      expect(table.filter((line) => line.startsWith(`| \`${env}\``))).toHaveLength(1)
    }
  })
})

describe('the made secret', () => {
  let dataDir: string
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'tertulia-key-'))
  })
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

  const settingsIn = (folder: string) => resolveSettings({ dataDir: folder, nodeEnv: 'development' })

  it('is made once, kept for restarts, and readable by its owner only', () => {
    const folder = join(dataDir, 'new')
    const first = signingKey(settingsIn(folder))
    expect(first.kind === 'secret' && first.secret.length).toBeGreaterThanOrEqual(32)
    expect(signingKey(settingsIn(folder))).toEqual(first)
    expect(statSync(join(folder, 'jwt-secret')).mode & 0o777).toBe(0o600)
  })

  it('is not made where a key is set', () => {
    const key = signingKey(resolveSettings({ dataDir, jwtSecret: secret }))
    expect(key).toEqual({ kind: 'secret', secret })
    expect(() => statSync(join(dataDir, 'jwt-secret'))).toThrow('ENOENT')
  })

  it('is refused where the folder cannot hold it', () => {
    const file = join(dataDir, 'file')
    writeFileSync(file, '')
    expect(() => signingKey(settingsIn(file))).toThrow(/DATA_DIR .* does not take the secret/)
  })

  it('is refused where the file is empty, as after a full disk', () => {
    writeFileSync(join(dataDir, 'jwt-secret'), '')
    expect(() => signingKey(settingsIn(dataDir))).toThrow('holds no secret; delete it')
  })
})
