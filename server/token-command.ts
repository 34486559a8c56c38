/**
 * Token command: `tertulia token --user ID` prints a token for a server with the same settings.
 */
import { DEFAULT_TTL } from './cli-help.ts'
import { ConfigError, resolveSettings, settingsFromEnv } from './config.ts'
import type { CommandContext } from './serve.ts'
import { requireSharedSecret } from './signing-key.ts'
import { makeToken } from './token.ts'

export interface TokenArguments {
  readonly user: string
  readonly name?: string | undefined
  readonly ttl?: string | undefined
  readonly admin?: boolean | undefined
}

const TTL_UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
const MAX_TTL_SECONDS = 10 * 365 * 86_400

/** Prints the token; resolves with the exit code. @throws ConfigError if no server would accept it */
export async function token(given: TokenArguments, { env, out }: CommandContext): Promise<number> {
  const settings = resolveSettings(settingsFromEnv(env))
  const ttlSeconds = secondsOf(given.ttl ?? DEFAULT_TTL)
  requireSharedSecret(settings)
  out(await makeToken(settings, { userId: given.user, name: given.name, isAdmin: given.admin, ttlSeconds }))
  return 0
}

function secondsOf(ttl: string): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(ttl) ?? []
  const seconds = Number(amount) * (TTL_UNITS[unit ?? ''] ?? Number.NaN)
  if (!(seconds >= 1 && seconds <= MAX_TTL_SECONDS))
    throw new ConfigError('--ttl must be a duration such as 30m, 12h or 7d')
  return seconds
}
