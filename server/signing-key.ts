/**
 * Signing key: what tokens are checked against, and, where it is a secret, made with.
 *
 * Outside production a secret is made once and kept in the data folder (mode 0600), so that
 * restarts and `tertulia token` share it. In production the settings name a key or nothing starts.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError, type Settings } from './config.ts'

export type SigningKey =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'publicKey'; readonly pem: string }
  | { readonly kind: 'jwks'; readonly url: string }

const FILE = 'jwt-secret'
const DATABASE = 'tertulia.db'

/**
 * The key that the settings name, or the made one. Reads and writes the data folder.
 * @throws ConfigError where the folder does not take the made secret.
 */
export function signingKey(settings: Settings): SigningKey {
  if (settings.jwtSecret !== undefined) return { kind: 'secret', secret: settings.jwtSecret }
  if (settings.jwtPublicKey !== undefined) return { kind: 'publicKey', pem: settings.jwtPublicKey }
  if (settings.jwtJwksUrl !== undefined) return { kind: 'jwks', url: settings.jwtJwksUrl }
  return { kind: 'secret', secret: madeSecret(settings.dataDir) }
}

/**
 * Checks that a secret which this process made now would be a server's.
 * @throws ConfigError where there is no server's folder, or its server has its key from elsewhere.
 */
export function requireSharedSecret(settings: Settings): void {
  const { dataDir, jwtSecret, jwtPublicKey, jwtJwksUrl } = settings
  if ((jwtSecret ?? jwtPublicKey ?? jwtJwksUrl) !== undefined || existsSync(join(dataDir, FILE))) return
  const folder = resolve(dataDir)
  const advice = 'use the DATA_DIR or the JWT_SECRET of the server, or run this in its folder'
  if (!existsSync(folder))
    throw new ConfigError(`no server accepts a token from here: there is no data folder ${folder}; ${advice}`)
  if (existsSync(join(folder, DATABASE)))
    throw new ConfigError(
      `no server accepts a token from here: the server of ${folder} has its key from elsewhere; ${advice}`,
    )
}

function madeSecret(dataDir: string): string {
  const path = join(dataDir, FILE)
  try {
    mkdirSync(dataDir, { recursive: true })
    // `wx`: of two processes that start at once one makes it, the other reads it.
    writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(dataDir, error)
  }
  let secret: string
  try {
    secret = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw unusable(dataDir, error)
  }
  if (secret.length < 32) throw new ConfigError(`${path} holds no secret; delete it and a new one is made`)
  return secret
}

function unusable(dataDir: string, cause: unknown): ConfigError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ConfigError(`DATA_DIR ${dataDir} does not take the secret for tokens: ${why}`, { cause })
}
