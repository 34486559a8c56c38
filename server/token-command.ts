/**
 * Token command: `tertulia token --user ID` prints a token for a server with the same settings.
 */
import { userId, userName } from '../protocol/ids.ts'
import type { FieldType } from '../protocol/schema.ts'
import { refusalOf } from '../protocol/validation.ts'
import { DEFAULT_TTL } from './cli-help.ts'
import { resolveSettings, settingsFromEnv } from './config.ts'
import type { CommandContext } from './serve.ts'
import { requireSharedSecret } from './signing-key.ts'
import { makeToken } from './token.ts'
import { UsageError } from './usage-error.ts'

export interface TokenArguments {
  readonly user: string
  readonly name?: string | undefined
  readonly ttl?: string | undefined
  readonly admin?: boolean | undefined
}

const TTL_UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
const MAX_TTL_SECONDS = 10 * 365 * 86_400

/** Prints the token; resolves with the exit code. @throws UsageError, ConfigError if no server would accept it */
export async function token(given: TokenArguments, { env, out }: CommandContext): Promise<number> {
  requireForm('--user', userId, given.user)
  if (given.name) requireForm('--name', userName, given.name)
  const ttlSeconds = secondsOf(given.ttl ?? DEFAULT_TTL)
  const settings = resolveSettings(settingsFromEnv(env))
  requireSharedSecret(settings)
  out(await makeToken(settings, { userId: given.user, name: given.name, isAdmin: given.admin, ttlSeconds }))
  return 0
}

function requireForm(option: string, field: FieldType, value: string): void {
  const refusal = refusalOf(field, value)
  if (refusal !== undefined) throw new UsageError(`${option} ${refusal}`)
}

function secondsOf(ttl: string): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(ttl) ?? []
  const seconds = Number(amount) * (TTL_UNITS[unit ?? ''] ?? Number.NaN)
  if (!(seconds >= 1 && seconds <= MAX_TTL_SECONDS))
    throw new UsageError('--ttl must be a duration such as 30m, 12h or 7d')
  return seconds
}
