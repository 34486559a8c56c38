/**
 * Signing key: the key that verifies tokens. A secret also signs them.
 *
 * Outside production a secret is created once and stored in the data folder (mode 0600), so that restarts
 * and `tertulia token` share it. In production the server does not start without a configured key.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createFolder } from '../engine/base/create-folder.ts'
import { ConfigError, type Settings } from './config.ts'

export type SigningKey =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'publicKey'; readonly pem: string }
  | { readonly kind: 'jwks'; readonly url: string }

const FILE = 'jwt-secret'
const DATABASE = 'tertulia.db'

/**
 * The configured key, or the created secret. Reads and writes the data folder.
 * @throws ConfigError if the secret cannot be stored in the data folder.
 */
export function signingKey(settings: Settings): SigningKey {
  if (settings.jwtSecret !== undefined) return { kind: 'secret', secret: settings.jwtSecret }
  if (settings.jwtPublicKey !== undefined) return { kind: 'publicKey', pem: settings.jwtPublicKey }
  if (settings.jwtJwksUrl !== undefined) return { kind: 'jwks', url: settings.jwtJwksUrl }
  return { kind: 'secret', secret: loadOrCreateSecret(settings.dataDir) }
}

/**
 * Checks that a secret created by this process would belong to a server.
 * @throws ConfigError if there is no data folder, or its server uses another key.
 */
export function requireSharedSecret(settings: Settings): void {
  const { dataDir, jwtSecret, jwtPublicKey, jwtJwksUrl } = settings
  if ((jwtSecret ?? jwtPublicKey ?? jwtJwksUrl) !== undefined || existsSync(join(dataDir, FILE))) return
  const folder = resolve(dataDir)
  const advice = 'use the DATA_DIR or the JWT_SECRET of the server, or run this in its folder'
  if (!existsSync(folder))
    throw new ConfigError(
      `no server would accept this token: the data folder ${folder} does not exist; ${advice}`,
    )
  if (existsSync(join(folder, DATABASE)))
    throw new ConfigError(
      `no server would accept this token: the server of ${folder} uses another key; ${advice}`,
    )
}

function loadOrCreateSecret(dataDir: string): string {
  const path = join(dataDir, FILE)
  try {
    createFolder(dataDir)
    // `wx`: if two processes start at once, one creates the file and the other reads it.
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
  if (secret.length < 32)
    throw new ConfigError(`${path} contains no secret; delete the file to create a new one`)
  return secret
}

function unusable(dataDir: string, cause: unknown): ConfigError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ConfigError(`the secret for tokens cannot be stored in DATA_DIR ${dataDir}: ${why}`, { cause })
}
