/**
 * Issuer keys: the key set of `JWT_JWKS_URL`, fetched when it is first needed and cached.
 *
 * A key set older than ten minutes is fetched again in the background. The old set stays in use until the
 * fetch succeeds, so an unavailable or slow issuer does not affect tokens with known keys. A token with an
 * unknown key causes a fetch, at most one in two seconds; tokens that arrive meanwhile wait for the next
 * fetch. If there are no keys and the last fetch failed less than two seconds ago, the answer is
 * immediate. A key that a token has used is found without waiting from then on.
 * Bounded: one fetch at a time, with a timeout of five seconds.
 */
import { KeyObject } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createLocalJWKSet, errors, type JSONWebKeySet } from 'jose'

/** The keys cannot be fetched. The server is at fault, not the client. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
  /** Milliseconds until the next fetch. */
  readonly retryAfterMs: number

  constructor(retryAfterMs: number, cause: unknown) {
    super('the keys of JWT_JWKS_URL cannot be fetched', { cause })
    this.retryAfterMs = retryAfterMs
  }
}

export interface IssuerKeysOptions {
  readonly url: string
  /** Milliseconds of a monotonic clock. */
  readonly steadyNow: () => number
  /** A fetch failed; known keys stay in use. */
  readonly onFailure: (cause: unknown) => void
  /** Resolves after this many milliseconds; replaced in tests. */
  readonly wait?: (ms: number) => Promise<unknown>
}

/** What selects a key, from the header of a token. */
interface KeyName {
  readonly alg: string
  readonly kid: unknown
}

interface KeySet {
  readonly find: ReturnType<typeof createLocalJWKSet>
  /** The keys that were found, by `labelOf`: of those in the set only. */
  readonly found: Map<string, KeyObject>
}

const FRESH_MS = 600_000
const FETCH_TIMEOUT_MS = 5_000
const LOOKUP_EVERY_MS = 2_000
const RETRY_AFTER_MS = 2_000
/** Errors of jose that the token causes, not the key set: no key or several keys match. */
const ofToken = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported]

export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  #keys: KeySet | null = null
  #fetchedAtMs = Number.NEGATIVE_INFINITY
  #failure: { readonly atMs: number; readonly cause: unknown } | null = null
  #lookedUpAtMs = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | null = null
  #nextLookup: Promise<void> | null = null

  constructor(options: IssuerKeysOptions) {
    this.#options = options
  }

  /** The key that a token names, if a token has used it before; else null. */
  known(name: KeyName): KeyObject | null {
    const label = labelOf(name)
    if (label === null || !this.#keys) return null
    this.#refresh()
    return this.#keys.found.get(label) ?? null
  }

  /**
   * The key that a token names.
   * @throws KeysUnavailable, or jose's JWKSNoMatchingKey if the issuer does not list the key.
   */
  async find(name: KeyName): Promise<KeyObject> {
    if (!this.#keys) {
      await this.#fetch()
      return this.#find(name)
    }
    this.#refresh()
    try {
      return await this.#find(name)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      this.#nextLookup ??= this.#lookUp(this.#options.steadyNow())
      await this.#nextLookup
      return this.#find(name)
    }
  }

  #refresh(): void {
    // Not awaited; `onFailure` reports a failure.
    if (this.#options.steadyNow() - this.#fetchedAtMs >= FRESH_MS) this.#fetch().catch(() => {})
  }

  async #find(name: KeyName): Promise<KeyObject> {
    const { find, found } = this.#keys as KeySet
    try {
      // jose refuses a `kid` that is no text.
      const key = KeyObject.from(await find(name as Parameters<typeof find>[0]))
      const label = labelOf(name)
      if (label !== null) found.set(label, key)
      return key
    } catch (cause) {
      if (ofToken.some((kind) => cause instanceof kind)) throw cause
      // The issuer published an unusable key.
      this.#options.onFailure(cause)
      throw new KeysUnavailable(RETRY_AFTER_MS, cause)
    }
  }

  /** The issuer may have published a new key: fetches again, at most once in two seconds. */
  async #lookUp(now: number): Promise<void> {
    try {
      const waitMs = this.#lookedUpAtMs + LOOKUP_EVERY_MS - now
      if (waitMs > 0) await (this.#options.wait ?? waitUnref)(waitMs)
      this.#lookedUpAtMs = this.#options.steadyNow()
      await this.#fetch()
    } finally {
      this.#nextLookup = null
    }
  }

  async #fetch(): Promise<void> {
    const { steadyNow } = this.#options
    const failure = this.#failure
    if (failure && !this.#fetching) {
      const waitMs = failure.atMs + RETRY_AFTER_MS - steadyNow()
      if (waitMs > 0) throw new KeysUnavailable(waitMs, failure.cause)
    }
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = null
    })
    await this.#fetching
  }

  async #load(): Promise<void> {
    const { url, steadyNow, onFailure } = this.#options
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/json, application/jwk-set+json' },
        redirect: 'error',
        signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      })
      if (!response.ok) throw new Error(`the issuer answered with status ${response.status}`)
      // Throws if the response is not a key set.
      this.#keys = { find: createLocalJWKSet((await response.json()) as JSONWebKeySet), found: new Map() }
      this.#fetchedAtMs = steadyNow()
      this.#failure = null
    } catch (cause) {
      this.#failure = { atMs: steadyNow(), cause }
      onFailure(cause)
      throw new KeysUnavailable(RETRY_AFTER_MS, cause)
    }
  }
}

/** What jose selects a key by; null if it would find none. */
function labelOf({ alg, kid }: KeyName): string | null {
  if (kid === undefined) return alg
  return typeof kid === 'string' ? `${alg} ${kid}` : null
}

function waitUnref(ms: number): Promise<void> {
  return delay(ms, undefined, { ref: false })
}
