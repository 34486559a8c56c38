/**
 * Router: every HTTP route goes through here, so that uWebSockets.js's rules are kept in one place.
 *
 * `onAborted` is registered before anything else, the request is read before the handler's first
 * await, an aborted response is not touched, a late one is corked, a body has a bound. A handler
 * takes a request and returns a reply or throws; what is not a `ChatError` is logged and shown as
 * `internal`.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js'
import type { EngineLogger } from '../../engine/engine.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { OriginRule } from '../origins.ts'
import { addressOf } from './address.ts'
import { BodyStream } from './body-stream.ts'
import { errorReply, type HttpReply, statusLine } from './reply.ts'
import { type BodySource, type Liveness, sendBody } from './send-body.ts'

export interface HttpCall {
  /** The client's address. */
  readonly address: string
  /** The `:parts` of the pattern, in their order. */
  readonly params: readonly string[]
  readonly query: URLSearchParams
  readonly authorization: string
  readonly idempotencyKey: string
  /** Of `keptHeaders` those that were sent. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The body of a route whose body is streamed. */
  readonly stream?: BodyStream | undefined
}

export type HttpHandler = (call: HttpCall) => HttpReply | Promise<HttpReply>

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** A pattern of uWebSockets.js: `/a/:id`. */
  readonly pattern: string
  /** Its handler gets the body as a `stream`, of any length, instead of as `body`. */
  readonly streamed?: true
  readonly handle: HttpHandler
}

export interface RouterOptions {
  readonly originAllowed: OriginRule
  readonly trustProxy: boolean
  readonly logger: EngineLogger
}

const MAX_BODY_BYTES = 65_536
const MAX_QUERY_CHARS = 16_384

/** Headers of a reply that scripts of other origins may read. */
const EXPOSED_HEADERS =
  'Retry-After, Content-Disposition, Content-Length, Content-Range, Accept-Ranges, ETag, Location'

/** Headers that handlers may want to see, besides those with a field of their own. */
const keptHeaders = [
  ...['content-length', 'content-type', 'range', 'if-range', 'if-none-match', 'host'],
  // Whether a proxy speaks for another.
  ...['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'],
] as const

const securityHeaders = { 'X-Content-Type-Options': 'nosniff' }

/** What is read of a request before the first await, after which it is gone. */
interface Head {
  readonly origin: string
  readonly allowed: boolean
  readonly call: Omit<HttpCall, 'body' | 'stream'>
}

export interface Router {
  /** Requests that have not been answered yet. */
  readonly pending: number
}

const unread: Head = {
  origin: '',
  allowed: true,
  call: {
    address: '',
    params: [],
    query: new URLSearchParams(),
    authorization: '',
    idempotencyKey: '',
    headers: {},
  },
}

/** Registers the routes, their preflights, 405 for other methods and 404 for other paths. */
export function addRoutes(app: TemplatedApp, routes: readonly Route[], given: RouterOptions): Router {
  const options: Context = { ...given, pending: 0 }
  const methods = new Map<string, string[]>()
  for (const { method, pattern, handle, streamed } of routes) {
    methods.set(pattern, [...(methods.get(pattern) ?? []), method])
    const params = pattern.split('/').filter((part) => part.startsWith(':')).length
    const serve = (kind: Kind) => (res: HttpResponse, req: HttpRequest) =>
      answer(res, req, { handle, params, kind }, options)
    if (method === 'POST') app.post(pattern, serve(streamed ? 'stream' : 'body'))
    else if (method === 'PATCH') app.patch(pattern, serve('body'))
    else if (method === 'DELETE') app.del(pattern, serve('plain'))
    else app.get(pattern, serve('plain')).head(pattern, serve('head'))
  }
  const always = (reply: HttpReply) => (res: HttpResponse, req: HttpRequest) =>
    answer(res, req, { handle: () => reply, params: 0, kind: 'plain' }, options)
  for (const [pattern, allowed] of methods) {
    const allow = allowed.join(', ')
    const wrong = new ChatError('bad_request', `this path takes ${allow}`)
    app.options(pattern, always(preflight(allow)))
    app.any(pattern, always(errorReply(wrong, 405, { Allow: allow })))
  }
  app.any('/*', always(errorReply(new ChatError('not_found', 'no such path'))))
  return options
}

/** What all requests share. */
interface Context extends RouterOptions {
  pending: number
}

/** `body`: the handler waits for one. `stream`: it takes it. `head`: its reply is sent without one. */
type Kind = 'plain' | 'body' | 'stream' | 'head'

interface Served {
  readonly handle: HttpHandler
  /** How many `:parts` the pattern has. */
  readonly params: number
  readonly kind: Kind
}

function answer(res: HttpResponse, req: HttpRequest, served: Served, options: Context): void {
  let done = false
  let stream: BodyStream | undefined
  const client = new Client()
  const end = (): void => {
    if (!done) options.pending--
    done = true
  }
  res.onAborted(() => {
    end()
    stream?.abort()
    client.leave()
  })
  options.pending++
  let head: Head = unread
  const finish = (reply: HttpReply, closeConnection = false): void => {
    const source = typeof reply.body === 'object' ? reply.body : undefined
    if (done || client.answered) return closeSource(source, options)
    client.answered = true
    stream?.discard()
    if (!source || served.kind === 'head' || source.length === 0) {
      end()
      res.cork(() => write(res, reply, head, served.kind === 'head', closeConnection))
      closeSource(source, options)
      return
    }
    res.cork(() => writeHead(res, reply, head))
    sendBody(res, source, client)
      .catch((error: unknown) => {
        options.logger.error({ err: error }, 'an HTTP response could not be finished')
        if (!client.gone) res.close()
      })
      .finally(() => {
        end()
        closeSource(source, options)
      })
  }
  const fail = (error: unknown): void => {
    if (!(error instanceof ChatError)) options.logger.error({ err: error }, 'an HTTP request failed')
    finish(errorReply(error))
  }
  const run = async (body: Buffer): Promise<void> => {
    try {
      finish(await served.handle({ ...head.call, body, stream }))
    } catch (error) {
      fail(error)
    }
  }
  try {
    head = readHead(res, req, served.params, options)
  } catch (error) {
    // Nothing that a client sends ends the process (SPEC 5.7).
    fail(error)
    return
  }
  if (!head.allowed) {
    finish(errorReply(new ChatError('bad_request', 'the origin is not allowed'), 403))
  } else if (served.kind === 'stream') {
    stream = new BodyStream(res)
    void run(Buffer.alloc(0))
  } else if (served.kind === 'body') {
    readBody(res, (body) => {
      if (body) void run(body)
      else
        finish(errorReply(new ChatError('too_large', `a body takes at most ${MAX_BODY_BYTES} bytes`)), true)
    })
  } else {
    void run(Buffer.alloc(0))
  }
}

/** Reads what is needed, all at once: the request is gone when uWebSockets.js's handler returns. */
function readHead(res: HttpResponse, req: HttpRequest, params: number, options: RouterOptions): Head {
  const origin = req.getHeader('origin')
  return {
    origin,
    allowed: options.originAllowed(origin, req.getHeader('host')),
    call: {
      address: addressOf(res, req, options.trustProxy),
      params: Array.from({ length: params }, (_, i) => decoded(req.getParameter(i) ?? '')),
      query: new URLSearchParams((req.getQuery() ?? '').slice(0, MAX_QUERY_CHARS)),
      authorization: req.getHeader('authorization'),
      idempotencyKey: req.getHeader('idempotency-key'),
      headers: headersOf(req),
    },
  }
}

function headersOf(req: HttpRequest): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const name of keptHeaders) {
    const value = req.getHeader(name)
    if (value !== '') headers[name] = value
  }
  return headers
}

/** Collects the body; null once it is over the limit. `then` is called once. */
function readBody(res: HttpResponse, then: (body: Buffer | null) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  res.onData((chunk, isLast) => {
    if (bytes > MAX_BODY_BYTES) return
    bytes += chunk.byteLength
    if (bytes > MAX_BODY_BYTES) {
      then(null)
      return
    }
    // The chunk's memory is uWebSockets.js's own.
    chunks.push(Buffer.from(new Uint8Array(chunk)))
    if (isLast) then(Buffer.concat(chunks))
  })
}

function write(
  res: HttpResponse,
  reply: HttpReply,
  head: Head,
  bodiless: boolean,
  closeConnection: boolean,
): void {
  writeHead(res, reply, head)
  const body = reply.body ?? ''
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  // Neither needs a length, and uWebSockets.js writes 2^63 for one that is undefined.
  if (reply.status === 204 || reply.status === 304) res.endWithoutBody()
  else if (bodiless) res.endWithoutBody(length, closeConnection)
  else res.end(typeof body === 'string' ? body : '', closeConnection)
}

function writeHead(res: HttpResponse, reply: HttpReply, head: Head): void {
  res.writeStatus(statusLine(reply.status))
  for (const [name, value] of Object.entries({ ...securityHeaders, ...reply.headers }))
    res.writeHeader(name, value)
  // Also where none was sent: a cache that holds a file for an <img> would give it to a script without leave.
  res.writeHeader('Vary', 'Origin')
  if (head.origin !== '' && head.allowed) {
    res.writeHeader('Access-Control-Allow-Origin', head.origin)
    res.writeHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS)
  }
}

/** The client of one response. */
class Client implements Liveness {
  #gone = false
  #then: () => void = () => {}
  /** A reply is on its way. */
  answered = false

  get gone(): boolean {
    return this.#gone
  }

  onGone(then: () => void): void {
    this.#then = then
  }

  leave(): void {
    this.#gone = true
    this.#then()
  }
}

function closeSource(source: BodySource | undefined, { logger }: RouterOptions): void {
  source?.close().catch((error: unknown) => logger.warn({ err: error }, 'a file could not be closed'))
}

function preflight(allow: string): HttpReply {
  return {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': allow,
      'Access-Control-Allow-Headers':
        'Authorization, Content-Type, Idempotency-Key, Range, If-Range, If-None-Match',
      'Access-Control-Max-Age': '600',
    },
  }
}

/** A part of the path, decoded; one that is wrongly encoded is left for the handler to refuse. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
