/**
 * The HTTP API of groups and messages: the requests of the socket, one at a time.
 * A handler only copies the fields, by the table of routes; the shard validates them.
 */
import { randomUUID } from 'node:crypto'
import { ChatError } from '../../protocol/errors.ts'
import type { RequestFields, RequestSpec } from '../../protocol/requests.ts'
import { requests } from '../../protocol/requests.ts'
import type { FieldMap } from '../../protocol/schema.ts'
import { costOf } from '../rate-limit.ts'
import type { ServedEngine } from '../served-engine.ts'
import { type ApiRoute, hasBody, pathFields, apiRoutes as table } from './api-routes.ts'
import { type CallerOptions, callerOf } from './caller.ts'
import { json } from './reply.ts'
import type { HttpCall, Route } from './router.ts'

export interface ApiOptions extends CallerOptions {
  readonly engine: ServedEngine
  /** False once the server is stopping. */
  readonly accepting: () => boolean
}

/** The routes under `/api/chat`. */
export function apiRoutes(options: ApiOptions): readonly Route[] {
  const { engine } = options
  return table.map((row: ApiRoute): Route => {
    const { request, method, status = 200 } = row
    const spec: RequestSpec = requests[request]
    return {
      method,
      pattern: row.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handle: async (call) => {
        if (!options.accepting()) throw new ChatError('shutting_down', undefined, { retryAfterMs: 5_000 })
        const { identity, isService } = await callerOf(
          call,
          options,
          spec.budget,
          costOf(spec, call.body.length),
        )
        const fields = fieldsOf(call, row) as RequestFields<typeof request>
        return json(status, await engine.request(identity, request, fields, isService ? 'service' : 'user'))
      },
    }
  })
}

/** The request's fields, unchanged; the shard refuses missing and invalid ones by name. */
function fieldsOf(call: HttpCall, row: ApiRoute): object {
  const known: FieldMap = requests[row.request].fields
  const inPath = pathFields(row)
  const rest = Object.keys(known).filter((name) => !inPath.includes(name))
  const given = hasBody(row) ? (rest.length > 0 ? objectOf(call) : {}) : queryOf(call, known)
  const fields: Record<string, unknown> = {}
  for (const name of rest) if (given[name] !== undefined) fields[name] = given[name]
  for (const [i, name] of inPath.entries()) fields[name] = call.params[i]
  // uWebSockets.js cuts a header value at the first byte that is not ASCII: other texts must be in the
  // body.
  if (row.idempotent) fields['tempId'] = call.idempotencyKey || (fields['tempId'] ?? randomUUID())
  return fields
}

/** Query values are texts; they are converted for number fields. */
function queryOf({ query }: HttpCall, known: FieldMap): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = {}
  for (const [name, { shape }] of Object.entries(known)) {
    const text = query.get(name)
    if (text === null || text === '') continue
    given[name] = shape.kind === 'uint' ? integer(name, text) : text
  }
  return given
}

function integer(name: string, text: string): number {
  if (/^\d{1,16}$/.test(text)) return Number(text)
  throw new ChatError('bad_request', `${name} must be an integer`, { field: name })
}

function objectOf(call: HttpCall): Readonly<Record<string, unknown>> {
  let body: unknown
  try {
    body = JSON.parse(call.body.toString())
  } catch {
    throw new ChatError('bad_request', 'the body is not JSON')
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ChatError('bad_request', 'the body must be a JSON object')
  }
  return body as Readonly<Record<string, unknown>>
}
