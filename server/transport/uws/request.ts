/**
 * Request over uWebSockets.js. The library's object is invalid after the handler has returned.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import { addressText } from '../address-text.ts'
import type { Request } from '../transport.ts'

export class UwsRequest implements Request {
  readonly #req: HttpRequest
  readonly #res: HttpResponse

  constructor(res: HttpResponse, req: HttpRequest) {
    this.#res = res
    this.#req = req
  }

  get method(): string {
    return this.#req.getMethod().toUpperCase()
  }

  get path(): string {
    return this.#req.getUrl()
  }

  get query(): string {
    return this.#req.getQuery() ?? ''
  }

  get address(): string {
    return addressText(new Uint8Array(this.#res.getRemoteAddress()))
  }

  header(name: string): string {
    return this.#req.getHeader(name)
  }

  // AUT-3: `getHeader` gives the first line only.
  list(name: string): string {
    const lines: string[] = []
    this.#req.forEach((key, value) => {
      if (key === name) lines.push(value)
    })
    return lines.join(', ')
  }
}
