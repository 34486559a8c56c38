/**
 * Token: signs the tokens of `tertulia token` and of a development start. A server that has only its
 * issuer's public key cannot sign tokens.
 */
import { SignJWT } from 'jose'
import { ConfigError, type Settings } from './config.ts'
import { signingKey } from './signing-key.ts'

export interface TokenRequest {
  /** Becomes `sub`. */
  readonly userId: string
  readonly name?: string | undefined
  /** The user may use the dashboard. */
  readonly isAdmin?: boolean | undefined
  readonly ttlSeconds: number
}

/**
 * Signs a token that a server with the same settings accepts.
 * @throws ConfigError if the settings have no secret.
 */
export async function makeToken(settings: Settings, request: TokenRequest): Promise<string> {
  const key = signingKey(settings)
  if (key.kind !== 'secret') {
    throw new ConfigError(
      'tokens are signed by the issuer: with JWT_PUBLIC_KEY or JWT_JWKS_URL the server has no secret',
    )
  }
  const issuedAt = Math.floor(Date.now() / 1_000)
  const claims: Record<string, string | true> = { [settings.jwtUserClaim]: request.userId }
  if (request.name !== undefined) claims[settings.jwtNameClaim] = request.name
  if (request.isAdmin) claims[settings.jwtAdminClaim] = true
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + request.ttlSeconds)
  if (settings.jwtIssuer !== undefined) token.setIssuer(settings.jwtIssuer)
  if (settings.jwtAudience !== undefined) token.setAudience(settings.jwtAudience)
  return token.sign(Buffer.from(key.secret))
}
