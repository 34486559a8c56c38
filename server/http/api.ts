/**
 * The HTTP API of groups and messages: the same requests as on a socket, one at a time.
 * The handlers only carry fields across, as the table of routes says; the shard judges them.
 */
import { randomUUID } from 'node:crypto'
import type { Engine } from '../../engine/engine.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { RequestFields, RequestSpec } from '../../protocol/requests.ts'
import { requests } from '../../protocol/requests.ts'
import type { FieldMap } from '../../protocol/schema.ts'
import { costOf } from '../rate-limit.ts'
import { type ApiRoute, pathFields, apiRoutes as table, takesBody } from './api-routes.ts'
import { type CallerOptions, callerOf } from './caller.ts'
import { json } from './reply.ts'
import type { HttpCall, Route } from './router.ts'

export interface ApiOptions extends CallerOptions {
  readonly engine: Engine
  /** Whether requests are still taken. */
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

/** The request's fields, as they came; the shard refuses what is missing or wrong, with its name. */
function fieldsOf(call: HttpCall, row: ApiRoute): object {
  const known: FieldMap = requests[row.request].fields
  const inPath = pathFields(row)
  const rest = Object.keys(known).filter((name) => !inPath.includes(name))
  const given = takesBody(row) ? (rest.length > 0 ? objectOf(call) : {}) : queryOf(call, known)
  const fields: Record<string, unknown> = {}
  for (const name of rest) if (given[name] !== undefined) fields[name] = given[name]
  for (const [i, name] of inPath.entries()) fields[name] = call.params[i]
  // Of a header uWebSockets.js gives what stands before the first byte that is not ASCII: other texts go in the body.
  if (row.idempotent) fields['tempId'] = call.idempotencyKey || (fields['tempId'] ?? randomUUID())
  return fields
}

/** A query has only texts: a number is made of one where the field takes numbers. */
function queryOf({ query }: HttpCall, known: FieldMap): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = {}
  for (const [name, { shape }] of Object.entries(known)) {
    const text = query.get(name)
    if (text === null || text === '') continue
    given[name] = shape.kind === 'uint' ? wholeNumber(name, text) : text
  }
  return given
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,16}$/.test(text)) return Number(text)
  throw new ChatError('bad_request', `${name} takes a whole number`, { field: name })
}

function objectOf(call: HttpCall): Readonly<Record<string, unknown>> {
  let body: unknown
  try {
    body = JSON.parse(call.body.toString())
  } catch {
    throw new ChatError('bad_request', 'the body is not JSON')
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ChatError('bad_request', 'the body takes an object')
  }
  return body as Readonly<Record<string, unknown>>
}
