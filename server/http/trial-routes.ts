/**
 * Trial: sign-in to the chat page by choosing a name, for development only.
 *
 * Outside production a server with a secret gives out tokens to requests of this machine, and to those
 * that know the trial key, which the link that `npm start` prints contains. The key is made from the
 * secret, so that the link stays the same. All of them are members of one open group, because people find
 * each other by name only if they share a group. In production, and with keys of an issuer, `enabled` is false
 * and nothing is given out.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Identity } from '../../engine/hub/gateway.ts'
import { ChatError } from '../../protocol/errors.ts'
import { userName } from '../../protocol/ids.ts'
import { refusalOf } from '../../protocol/validation.ts'
import type { AddressGuard } from '../address-guard.ts'
import type { Settings } from '../config.ts'
import type { ServedEngine } from '../served-engine.ts'
import { signingKey } from '../signing-key.ts'
import { makeToken } from '../token.ts'
import { isLocal } from './local-call.ts'
import { json } from './reply.ts'
import type { HttpCall, Route } from './router.ts'

const TRIAL_SECONDS = 12 * 3_600

interface TrialOptions {
  readonly settings: Settings
  readonly guard: AddressGuard
  readonly engine: Pick<ServedEngine, 'request'>
}

const GROUP = { kind: 'group', groupId: 'tertulia', name: 'Tertulia', visibility: 'open' } as const

/** `GET /trial` and `POST /trial`. */
export function trialRoutes({ settings, guard, engine }: TrialOptions): readonly Route[] {
  const key = trialKey(settings)
  const admits = (call: HttpCall, given: unknown): boolean =>
    key !== null && (isLocal(call) || (typeof given === 'string' && isSame(given, key)))
  return [
    {
      method: 'GET',
      pattern: '/trial',
      handle: (call) => json(200, { enabled: admits(call, call.query.get('key')) }),
    },
    {
      method: 'POST',
      pattern: '/trial',
      handle: async (call) => {
        const { name, key: given } = fieldsOf(call.body)
        const blockedMs = guard.blockedForMs(call.address)
        if (blockedMs > 0) throw new ChatError('rate_limited', undefined, { retryAfterMs: blockedMs })
        if (!admits(call, given)) {
          guard.failed(call.address)
          throw new ChatError('unauthenticated', 'open the link that the server printed when it started')
        }
        const refusal = refusalOf(userName, name)
        if (typeof name !== 'string' || refusal !== undefined)
          throw new ChatError('bad_request', `name ${refusal ?? 'must be a text'}`, { field: 'name' })
        const userId = idOf(name)
        await enterGroup(engine, { userId, name })
        return json(200, {
          userId,
          token: await makeToken(settings, { userId, name, ttlSeconds: TRIAL_SECONDS }),
        })
      },
    },
  ]
}

/** Makes the user a member of the group of all trials, which the first of them creates. */
async function enterGroup(engine: TrialOptions['engine'], user: Identity): Promise<void> {
  try {
    await engine.request(user, 'create_group', GROUP)
  } catch (error) {
    if (!(error instanceof ChatError) || error.code !== 'already_exists') throw error
    await engine.request(user, 'join_group', { groupId: GROUP.groupId })
  }
}

/** The key of the link; null if the server gives out no tokens. */
export function trialKey(settings: Settings): string | null {
  if (settings.nodeEnv === 'production') return null
  const key = signingKey(settings)
  if (key.kind !== 'secret') return null
  return createHmac('sha256', key.secret).update('tertulia trial').digest('base64url').slice(0, 22)
}

/** The same name is the same user: `Ana Silva` is `ana-silva`. */
function idOf(name: string): string {
  const latin = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Mn}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64)
  return latin || `user-${createHash('sha256').update(name.normalize('NFC')).digest('hex').slice(0, 12)}`
}

function fieldsOf(body: Buffer): { readonly name?: unknown; readonly key?: unknown } {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    throw new ChatError('bad_request', 'the body must be a JSON object')
  }
}

/** Compares in constant time. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}
