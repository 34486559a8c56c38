/**
 * Issuer keys: the key set of `JWT_JWKS_URL`, fetched when it is first needed and cached.
 *
 * A key set older than ten minutes is fetched again in the background. The old set stays in use until the
 * fetch succeeds, so an unavailable or slow issuer does not affect tokens with known keys. A token with an
 * unknown key causes a fetch, at most one in two seconds; tokens that arrive meanwhile wait for the next
 * fetch. If there are no keys and the last fetch failed less than two seconds ago, the answer is
 * immediate.
 * Bounded: one fetch at a time, with a timeout of five seconds.
 */
import { setTimeout as delay } from 'node:timers/promises'
import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose'

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

type KeySet = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>

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

  /**
   * The key that a token names; the signature is the one that jose expects.
   * @throws KeysUnavailable, or jose's JWKSNoMatchingKey if the issuer does not list the key.
   */
  readonly keyOf = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> => {
    const now = this.#options.steadyNow()
    if (!this.#keys) {
      await this.#fetch()
      return this.#find(header, token)
    }
    // Not awaited; `onFailure` reports a failure.
    if (now - this.#fetchedAtMs >= FRESH_MS) this.#fetch().catch(() => {})
    try {
      return await this.#find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      this.#nextLookup ??= this.#lookUp(now)
      await this.#nextLookup
      return this.#find(header, token)
    }
  }

  async #find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    try {
      return await (this.#keys as KeySet)(header, token)
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
      this.#keys = createLocalJWKSet((await response.json()) as JSONWebKeySet)
      this.#fetchedAtMs = steadyNow()
      this.#failure = null
    } catch (cause) {
      this.#failure = { atMs: steadyNow(), cause }
      onFailure(cause)
      throw new KeysUnavailable(RETRY_AFTER_MS, cause)
    }
  }
}

function waitUnref(ms: number): Promise<void> {
  return delay(ms, undefined, { ref: false })
}
