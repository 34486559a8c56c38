/**
 * Router: handles every HTTP request: route, body, reply.
 *
 * The request is read before the handler's first await, and the size of a body is limited. A handler
 * receives a call and returns a reply or throws; an error that is not a `ChatError` is logged and answered
 * as `internal`. HEAD is answered like GET without the body, OPTIONS as a preflight, other methods with
 * 405.
 */
import { ChatError } from '../../protocol/errors.ts'
import { enabledAt, type ServerLogger } from '../logger.ts'
import { type OriginRule, originRefusal } from '../origins.ts'
import type { RefusalLog } from '../refusal-log.ts'
import type { App, Request, Response, ResponseHead } from '../transport/transport.ts'
import { addressOf } from './address.ts'
import { BodyStream, HeldBodies } from './body-stream.ts'
import { errorReply, type HttpReply } from './reply.ts'
import { RouteTable } from './route-table.ts'
import { type BodySource, sendBody } from './send-body.ts'

export interface HttpCall {
  /** The client's address. */
  readonly address: string
  /** The `:parts` of the pattern, in their order. */
  readonly params: readonly string[]
  readonly query: URLSearchParams
  readonly authorization: string
  readonly idempotencyKey: string
  /** The headers in `readHeaders` that were sent. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The body of a route whose body is streamed. */
  readonly stream?: BodyStream | undefined
}

export type HttpHandler = (call: HttpCall) => HttpReply | Promise<HttpReply>

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** A path with `:parts`: `/a/:id`. */
  readonly pattern: string
  /** The handler receives the body as a `stream` of any length, instead of as `body`. */
  readonly streamed?: true
  readonly handle: HttpHandler
}

export interface RouterOptions {
  readonly originAllowed: OriginRule
  readonly trustProxy: boolean
  readonly logger: ServerLogger
  readonly refusals: RefusalLog
}

const MAX_BODY_BYTES = 65_536
const MAX_HELD_BYTES = 268_435_456
const MAX_QUERY_CHARS = 16_384
const METHODS = 'GET, HEAD, POST, PATCH, DELETE, OPTIONS'

/** Headers of a reply that scripts of other origins may read. */
const EXPOSED_HEADERS =
  'Retry-After, Content-Disposition, Content-Length, Content-Range, Accept-Ranges, ETag, Location'

/** Headers that handlers can read, besides those with a field of their own. */
const readHeaders = [
  ...['content-length', 'content-type', 'range', 'if-range', 'if-none-match', 'accept-encoding', 'host'],
  // Whether a proxy forwarded the request.
  ...['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'],
] as const

const securityHeaders = { 'X-Content-Type-Options': 'nosniff' }

/** The parts of a request that are read before the first await. */
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

/**
 * Serves the routes, their preflights, 405 for other methods and 404 for other paths.
 * Requests that `handled` handles are not for the routes.
 */
export function addRoutes(
  app: App,
  routes: readonly Route[],
  given: RouterOptions,
  handled: (request: Request, response: Response) => boolean = () => false,
): Router {
  const { logger } = given
  const bodies = new HeldBodies(MAX_HELD_BYTES, () =>
    logger.warn(
      { bytes: MAX_HELD_BYTES },
      'an upload was closed: bodies arrive faster than the disk writes them',
    ),
  )
  const context: Context = { ...given, pending: 0, debugged: enabledAt(logger, 'debug'), bodies }
  const table = new RouteTable<Route>()
  for (const route of routes) table.add(route.method, route.pattern, route)
  app.serve((request, response) => {
    if (!handled(request, response)) answer(request, response, targetOf(table, request), context)
  })
  return context
}

/** Shared by all requests. */
interface Context extends RouterOptions {
  /** Set if each request is logged. */
  readonly debugged: ServerLogger | null
  readonly bodies: HeldBodies
  pending: number
}

/**
 * `body`: the handler needs the whole body. `stream`: it reads the body itself. `head`: the reply is sent
 * without a body.
 */
type Kind = 'plain' | 'body' | 'stream' | 'head'

interface Target {
  readonly handle: HttpHandler
  readonly params: readonly string[]
  readonly kind: Kind
}

function targetOf(table: RouteTable<Route>, { method, path }: Request): Target {
  const always = (reply: HttpReply): Target => ({
    handle: () => reply,
    params: [],
    kind: method === 'HEAD' ? 'head' : 'plain',
  })
  const match = table.find(path)
  // HAProxy and others send `OPTIONS *` to the server as a whole.
  if (method === 'OPTIONS' && path === '*') return always({ status: 204, headers: { Allow: METHODS } })
  if (!match) return always(errorReply(new ChatError('not_found', 'unknown path')))
  const route = match.methods.get(method === 'HEAD' ? 'GET' : method)
  if (route) return { handle: route.handle, params: match.params, kind: kindOf(method, route) }
  const allow = [...match.methods.keys()].join(', ')
  if (method === 'OPTIONS') return always(preflight(allow))
  return always(
    errorReply(new ChatError('bad_request', `the method must be one of ${allow}`), 405, { Allow: allow }),
  )
}

function kindOf(method: string, { streamed }: Route): Kind {
  if (method === 'POST') return streamed ? 'stream' : 'body'
  if (method === 'PATCH') return 'body'
  return method === 'HEAD' ? 'head' : 'plain'
}

function answer(request: Request, response: Response, target: Target, context: Context): void {
  const client = { disconnected: false }
  let isPending = true
  let isAnswered = false
  let stream: BodyStream | undefined
  // Without the query, which may contain a token.
  const line = context.debugged ? `${request.method} ${request.path}` : ''
  const end = (): void => {
    if (isPending) context.pending--
    isPending = false
  }
  response.onAborted(() => {
    client.disconnected = true
    end()
    stream?.abort()
  })
  context.pending++
  let head: Head = unread
  const finish = (reply: HttpReply, closeConnection = false): void => {
    const source = typeof reply.body === 'object' ? reply.body : undefined
    if (client.disconnected || isAnswered) return closeSource(source, context)
    isAnswered = true
    context.debugged?.debug?.({ address: head.call.address, request: line, status: reply.status }, 'http')
    stream?.discard()
    if (!source || target.kind === 'head' || source.length === 0) {
      end()
      write(response, reply, head, target.kind === 'head', closeConnection)
      closeSource(source, context)
      return
    }
    response.begin(headOf(reply, head), source.length)
    sendBody(response, source, client)
      .catch((error: unknown) => {
        context.logger.error({ err: error }, 'sending an HTTP response failed')
        response.destroy()
      })
      .finally(() => {
        end()
        closeSource(source, context)
      })
  }
  const fail = (error: unknown): void => {
    if (!(error instanceof ChatError)) context.logger.error({ err: error }, 'an HTTP request failed')
    finish(errorReply(error))
  }
  const run = async (body: Buffer): Promise<void> => {
    try {
      finish(await target.handle({ ...head.call, body, stream }))
    } catch (error) {
      fail(error)
    }
  }
  try {
    head = readHead(request, target.params, context)
  } catch (error) {
    // No input of a client ends the process (INP-2).
    fail(error)
    return
  }
  // Intermediaries may have used the other one (RFC 9112 3.2).
  if (request.list('host').includes(',')) {
    finish(errorReply(new ChatError('bad_request', 'Host must have one value')), true)
  } else if (!head.allowed) {
    const why = originRefusal(head.origin)
    context.refusals.note({ kind: 'origin', address: head.call.address, why })
    finish(errorReply(new ChatError('bad_request', why), 403))
  } else if (target.kind === 'stream') {
    stream = new BodyStream(response, context.bodies)
    void run(Buffer.alloc(0))
  } else if (target.kind === 'body') {
    readBody(response, (body) => {
      if (body) void run(body)
      else
        finish(
          errorReply(new ChatError('too_large', `the body must have at most ${MAX_BODY_BYTES} bytes`)),
          true,
        )
    })
  } else {
    void run(Buffer.alloc(0))
  }
}

/** Reads everything at once: the request cannot be read later. */
function readHead(request: Request, params: readonly string[], options: RouterOptions): Head {
  const origin = request.header('origin')
  return {
    origin,
    allowed: options.originAllowed(origin, request.header('host')),
    call: {
      address: addressOf(request, options.trustProxy),
      params,
      query: new URLSearchParams(request.query.slice(0, MAX_QUERY_CHARS)),
      authorization: request.header('authorization'),
      idempotencyKey: request.header('idempotency-key'),
      headers: headersOf(request),
    },
  }
}

function headersOf(request: Request): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const name of readHeaders) {
    const value = request.header(name)
    if (value !== '') headers[name] = value
  }
  return headers
}

/** Collects the body; null if it exceeds the limit. `then` is called once. */
function readBody(response: Response, then: (body: Buffer | null) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.onData((chunk, isLast) => {
    if (bytes > MAX_BODY_BYTES) return
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) {
      then(null)
      return
    }
    chunks.push(Buffer.from(chunk))
    if (isLast) then(Buffer.concat(chunks))
  })
}

function write(
  response: Response,
  reply: HttpReply,
  head: Head,
  isBodiless: boolean,
  closeConnection: boolean,
): void {
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : Buffer.alloc(0)
  const length = typeof reply.body === 'object' ? reply.body.length : body.length
  const whole = headOf(reply, head)
  if (reply.status === 204 || reply.status === 304) response.endWithoutBody(whole, null)
  else if (isBodiless) response.endWithoutBody(whole, length, closeConnection)
  else response.end(whole, body, closeConnection)
}

function headOf({ status, headers }: HttpReply, { origin, allowed }: Head): ResponseHead {
  const all = { ...securityHeaders, ...headers }
  // Also without an Origin header: otherwise a cache that stored a file for an <img> would serve it to a
  // script of a page that is not allowed.
  const lines: [string, string][] = [...Object.entries(all), ['Vary', 'Origin']]
  if (origin !== '' && allowed) {
    lines.push(['Access-Control-Allow-Origin', origin], ['Access-Control-Expose-Headers', EXPOSED_HEADERS])
  }
  return { status, headers: lines }
}

function closeSource(source: BodySource | undefined, { logger }: RouterOptions): void {
  source?.close().catch((error: unknown) => logger.warn({ err: error }, 'closing a file failed'))
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
