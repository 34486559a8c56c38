import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, resolveSettings, settings, settingsFromEnv } from '../../server/config.ts'
import { configurationTable } from '../../server/settings-reference.ts'
import { signingKey } from '../../server/signing-key.ts'

const secret = 'x'.repeat(32)

/** The error message for one variable. */
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
  // TRN-1
  it('have the defaults of the table if nothing is set', () => {
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

  it('are read from the environment, where an empty variable counts as not set', () => {
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
    ['PORT', 'abc', 'PORT must be an integer from 0 to 65535 (got "abc")'],
    ['PORT', '65536', 'PORT must be an integer from 0 to 65535 (got 65536)'],
    ['PORT', '4040.5', 'PORT must be an integer from 0 to 65535 (got "4040.5")'],
    ['SHARDS', '0', 'SHARDS must be an integer from 1 to 32, or inline (got 0)'],
    ['SHARDS', '33', 'SHARDS must be an integer from 1 to 32, or inline (got 33)'],
    ['SHARDS', 'many', 'SHARDS must be an integer from 1 to 32, or inline (got "many")'],
    ['DURABILITY', 'paper', 'DURABILITY must be one of memory, process, disk (got "paper")'],
    ['FANOUT', 'later', 'FANOUT must be one of immediate, committed (got "later")'],
    ['MAX_MESSAGE_BYTES', '10', 'MAX_MESSAGE_BYTES must be an integer from 1024 to 16777216 (got 10)'],
    ['RATE_LIMIT', '-1', 'RATE_LIMIT must be an integer from 0 to 1000000 (got -1)'],
    ['TRUST_PROXY', 'yes', 'TRUST_PROXY must be true or false (got "yes")'],
    ['CORS_ORIGINS', 'a.example', 'CORS_ORIGINS must be a comma-separated list of origins'],
    ['CORS_ORIGINS', 'https://a.example/chat', 'must be a comma-separated list of origins'],
    ['JWT_JWKS_URL', 'file:///etc/keys', 'JWT_JWKS_URL must be an http or https URL'],
    ['JWT_PUBLIC_KEY', 'ssh-rsa AAAA', 'JWT_PUBLIC_KEY must be one PEM public key'],
    ['ICE_SERVERS', 'stun:a.example', 'ICE_SERVERS must be a JSON list of at most 8 servers'],
    ['ICE_SERVERS', '{"urls": "stun:a.example"}', 'ICE_SERVERS must be a JSON list'],
    ['ICE_SERVERS', '[{"urls": "https://a.example"}]', 'ICE_SERVERS must be a JSON list'],
    ['ICE_SERVERS', '[{"urls": []}]', 'ICE_SERVERS must be a JSON list'],
    ['ICE_SERVERS', '[{"urls": "turn:a.example"}]', 'ICE_SERVERS must be a JSON list'],
    ['ICE_SERVERS', '[{"url": "stun:a.example"}]', 'ICE_SERVERS must be a JSON list'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of fatal, error, warn'],
  ])('refuse %s=%s and state the rule', (variable, value, message) => {
    expect(refusal({ [variable]: value })).toContain(message)
  })

  it('name STUN and TURN servers, and do not show a credential that is refused', () => {
    const servers = [
      { urls: 'stun:stun.example.org' },
      {
        urls: ['turn:turn.example.org:3478?transport=udp', 'turns:[2001:db8::1]:5349'],
        username: 'u',
        credential: 'hunter2',
      },
    ]
    expect(settingsFromEnv({ ICE_SERVERS: JSON.stringify(servers) }).iceServers).toEqual(servers)
    const refused = refusal({ ICE_SERVERS: JSON.stringify([{ ...servers[1], urls: 'turn:' }]) })
    expect(refused).toContain('ICE_SERVERS must be a JSON list')
    expect(refused).not.toContain('hunter2')
  })

  it('refuse a short secret without showing it', () => {
    expect(refusal({ JWT_SECRET: 'hunter2' })).toMatch(/^JWT_SECRET must be a secret of 32 to 4096 bytes/)
  })

  it('never show a key in the wrong variable', () => {
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
      expect(message).toContain(`${variable} must be `)
      expect(message).not.toContain(inside(value))
      expect(message).not.toContain(inside(privateKey))
    }
  })

  it('passed to createServer follow the same rule', () => {
    expect(() => resolveSettings({ port: -1 })).toThrow('PORT must be an integer from 0 to 65535 (got -1)')
  })

  it('accept one kind of key only', () => {
    expect(refusal({ JWT_SECRET: secret, JWT_JWKS_URL: 'https://issuer.example/keys' })).toBe(
      'set only one of JWT_SECRET and JWT_JWKS_URL',
    )
  })

  it('refuse to start in production without a key', () => {
    expect(refusal({ NODE_ENV: 'production' })).toContain(
      'JWT_SECRET (at least 32 bytes), JWT_PUBLIC_KEY or JWT_JWKS_URL',
    )
    expect(resolveSettings(settingsFromEnv({ NODE_ENV: 'production', JWT_SECRET: secret })).jwtSecret).toBe(
      secret,
    )
  })

  it('are all in the table of the docs', () => {
    const table = configurationTable().split('\n')
    expect(table).toContain(
      '| `PORT` | `port` | `4040` | an integer from 0 to 65535 | The TCP port; 0 selects a free port. |',
    )
    for (const { env } of Object.values(settings)) {
      expect(table.filter((line) => line.startsWith(`| \`${env}\``))).toHaveLength(1)
    }
  })
})

describe('the created secret', () => {
  let dataDir: string
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'tertulia-key-'))
  })
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

  const settingsIn = (folder: string) => resolveSettings({ dataDir: folder, nodeEnv: 'development' })

  it('is created once, reused after restarts, and readable by its owner only', () => {
    const folder = join(dataDir, 'new')
    const first = signingKey(settingsIn(folder))
    expect(first.kind === 'secret' && first.secret.length).toBeGreaterThanOrEqual(32)
    expect(signingKey(settingsIn(folder))).toEqual(first)
    expect(statSync(join(folder, 'jwt-secret')).mode & 0o777).toBe(0o600)
  })

  it('is not created if a key is set', () => {
    const key = signingKey(resolveSettings({ dataDir, jwtSecret: secret }))
    expect(key).toEqual({ kind: 'secret', secret })
    expect(() => statSync(join(dataDir, 'jwt-secret'))).toThrow('ENOENT')
  })

  it('causes an error if the folder cannot store it', () => {
    const file = join(dataDir, 'file')
    writeFileSync(file, '')
    expect(() => signingKey(settingsIn(file))).toThrow(/the secret for tokens cannot be stored in DATA_DIR/)
  })

  it('causes an error if the file is empty, as after a full disk', () => {
    writeFileSync(join(dataDir, 'jwt-secret'), '')
    expect(() => signingKey(settingsIn(dataDir))).toThrow('contains no secret; delete the file')
  })
})
