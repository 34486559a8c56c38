/**
 * Other fronts: Socket.IO clients whose requests reach different fronts of one port.
 *
 * A client that polls opens several TCP connections, and another one for its WebSocket; the system deals them
 * to any front. The id of a session names its front, and a front passes what belongs to another one on to
 * that front's Unix socket: HTTP requests as they are, WebSockets by a relay. Fronts on ports of their own are
 * not reached by each other's clients.
 */
import { request as httpRequest } from 'node:http'
import type { Request, Response } from '../transport/transport.ts'
import { queryOf } from './handshake.ts'
import { Relay } from './relay.ts'

export interface OtherFrontsOptions {
  /** The id of this front. */
  readonly own: number
  /** The Unix socket of the front with that id. */
  readonly pathOf: (id: number) => string
  /** The largest body that is passed on, of a request and of an answer. */
  readonly maxBytes: number
}

/** Relays that are being connected; a client that is refused one continues to poll. */
const MAX_CONNECTING = 256
/** Between the id of a front and the rest. */
const MARK = '.'
/** Headers that the other front reads. */
const passedOn = ['origin', 'host', 'content-type', 'access-control-request-headers'] as const

export class OtherFronts {
  readonly #options: OtherFrontsOptions
  #connecting = 0

  constructor(options: OtherFrontsOptions) {
    this.#options = options
  }

  /** The id of a session of this front. */
  own(random: string): string {
    return `${this.#options.own}${MARK}${random}`
  }

  /**
   * Passes an HTTP request of a session on. Returns false if no other front can have it; calls `unknown` if that
   * front has ended.
   */
  passOn(sid: string, request: Request, response: Response, unknown: () => void): boolean {
    const socketPath = this.#pathOf(sid)
    if (socketPath === null) return false
    const target = httpRequest({ socketPath, ...targetOf(request), method: request.method }, (answer) => {
      const chunks: Buffer[] = []
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > this.#options.maxBytes) target.destroy()
        else chunks.push(chunk)
      })
      answer.on('end', () => {
        const headers = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
          answered.has(name) ? values.map((value) => [name, value] as const) : [],
        )
        response.end({ status: answer.statusCode ?? 502, headers }, Buffer.concat(chunks))
      })
      answer.on('error', () => response.destroy())
    })
    target.on('error', unknown)
    response.onAborted(() => target.destroy())
    if (request.method !== 'POST') target.end()
    else {
      let left = this.#options.maxBytes
      response.onData((chunk, isLast) => {
        left -= chunk.length
        if (left < 0) {
          target.destroy()
          response.destroy()
          return
        }
        target.write(Buffer.from(chunk))
        if (isLast) target.end()
      })
    }
    return true
  }

  /** Relays a WebSocket of a session. Null if no other front can have it, or too many are being connected. */
  relay(sid: string, request: Request): Relay | null {
    const socketPath = this.#pathOf(sid)
    if (socketPath === null || this.#connecting >= MAX_CONNECTING) return null
    const { path, headers } = targetOf(request)
    const relay = new Relay(socketPath, path, headers)
    this.#connecting += 1
    void relay.isDecided.then(() => {
      this.#connecting -= 1
    })
    return relay
  }

  #pathOf(sid: string): string | null {
    const id = Number(/^(\d{1,10})\./.exec(sid)?.[1] ?? this.#options.own)
    return id === this.#options.own ? null : this.#options.pathOf(id)
  }
}

/** Headers of an answer that are passed on. */
const answered: ReadonlySet<string> = new Set([
  'content-type',
  'cache-control',
  'x-content-type-options',
  'vary',
  'access-control-allow-origin',
  'access-control-allow-credentials',
])

/** What Node's client refuses is not passed on as it is: fragments, and characters outside of ASCII (INP-2). */
function targetOf(request: Request): { readonly path: string; readonly headers: Record<string, string> } {
  const headers: Record<string, string> = {}
  for (const name of passedOn) {
    const value = request.header(name).replace(/[^ -~]/g, '?')
    if (value !== '') headers[name] = value
  }
  return { path: `${request.path}?${queryOf(request)}`, headers }
}
