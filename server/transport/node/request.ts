/**
 * Request over Node's HTTP server.
 */
import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import type { Request } from '../transport.ts'

export class NodeRequest implements Request {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly #req: IncomingMessage

  constructor(req: IncomingMessage) {
    this.#req = req
    this.method = req.method ?? ''
    const target = originForm(req.url ?? '')
    const mark = target.indexOf('?')
    this.path = mark < 0 ? target : target.slice(0, mark)
    this.query = mark < 0 ? '' : target.slice(mark + 1)
  }

  get address(): string {
    const text = this.#req.socket.remoteAddress ?? ''
    const mapped = text.startsWith('::ffff:') ? text.slice(7) : ''
    return isIPv4(mapped) ? mapped : text
  }

  header(name: string): string {
    return this.#req.headersDistinct[name]?.[0] ?? ''
  }

  list(name: string): string {
    return this.#req.headersDistinct[name]?.join(', ') ?? ''
  }
}

/** The target without scheme and host, which proxies may send (RFC 9112 3.2.2). */
function originForm(target: string): string {
  const [, rest] = /^https?:\/\/[^/?]*(.*)$/i.exec(target) ?? []
  if (rest === undefined) return target
  return rest.startsWith('/') ? rest : `/${rest}`
}
