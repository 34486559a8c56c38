/**
 * File urls: addresses of files that `<img>`, `<video>` and `<a>` can load. They contain the user's token,
 * because these elements send no headers. A token is used again until it expires, so that the address of a
 * file stays the same and the browser loads it once.
 */
import type { File } from '../../protocol/records.ts'
import type { TokenSource } from '../link.ts'

const MARGIN_MS = 60_000

export class FileUrls {
  readonly #base: string
  readonly #source: TokenSource
  #token: Promise<string> | null = null
  #expiresAt = 0

  /** `url`: as for `ChatClient`. */
  constructor(url: string, source: TokenSource) {
    this.#base = url.replace(/^ws/, 'http')
    this.#source = source
  }

  async of({ url }: Pick<File, 'url'>): Promise<string> {
    const address = new URL(url, this.#base)
    address.searchParams.set('token', await this.#getToken())
    return address.href
  }

  async #getToken(): Promise<string> {
    const source = this.#source
    if (typeof source === 'string') return source
    if (this.#token && Date.now() < this.#expiresAt - MARGIN_MS) return await this.#token
    this.#expiresAt = Number.POSITIVE_INFINITY
    this.#token = Promise.resolve(source())
    try {
      const token = await this.#token
      this.#expiresAt = expiryOf(token)
      return token
    } catch (error) {
      this.#token = null
      throw error
    }
  }
}

/** `exp` of a JWT, milliseconds since 1970; 0 if it has none. */
function expiryOf(token: string): number {
  try {
    const payload = token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/') ?? ''
    return Number((JSON.parse(atob(payload)) as { readonly exp?: number }).exp ?? 0) * 1_000
  } catch {
    return 0
  }
}
