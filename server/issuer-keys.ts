/**
 * Issuer keys: the key set of `JWT_JWKS_URL`, fetched when it is first needed and cached.
 *
 * A key set older than ten minutes is fetched again in the background; until that succeeds the old
 * one stays in use, so an issuer that is away or slow stops nobody whose key is known. A token that
 * names an unknown key causes one fetch, at most one in two seconds; the tokens that come meanwhile
 * wait for the next. While there are no keys at all and the last fetch has just failed, the answer
 * is given at once.
 * Bounded: one fetch at a time, each ended after five seconds.
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

/** The keys cannot be fetched: the server's fault, never the client's. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
  /** When the next fetch may succeed, milliseconds from now. */
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
  /** Resolves after so many milliseconds; given by tests. */
  readonly wait?: (ms: number) => Promise<unknown>
}

type KeySet = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>

const FRESH_MS = 600_000
const FETCH_TIMEOUT_MS = 5_000
const LOOKUP_EVERY_MS = 2_000
const RETRY_AFTER_MS = 2_000
/** What jose throws of a key set that is in order: the token names none of its keys, or several. */
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
   * The key that a token names, as jose asks for it.
   * @throws KeysUnavailable, or jose's JWKSNoMatchingKey once the issuer does not list the key.
   */
  readonly keyOf = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> => {
    const now = this.#options.steadyNow()
    if (!this.#keys) {
      await this.#fetch()
      return this.#find(header, token)
    }
    // Nobody waits for it, and its failure has been reported.
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
      // The issuer published a key that cannot be used.
      this.#options.onFailure(cause)
      throw new KeysUnavailable(RETRY_AFTER_MS, cause)
    }
  }

  /** The issuer may have a new key: fetches again, but not more often than it should. */
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
      // Refuses what is no key set.
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
