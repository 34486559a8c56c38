/**
 * The HTTP API of groups and messages (SPEC 6): the same requests as on a socket, one at a time.
 * The handlers only carry fields across; the shard judges them.
 */
import { randomUUID } from 'node:crypto'
import type { Engine } from '../../engine/engine.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { RequestFields } from '../../protocol/requests.ts'
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
  const caller = (call: HttpCall) => {
    if (!options.accepting()) throw new ChatError('shutting_down', undefined, { retryAfterMs: 5_000 })
    return callerOf(call, options)
  }
  return [
    {
      method: 'GET',
      pattern: '/api/chat/groups',
      handle: async (call) => {
        const identity = await caller(call)
        const cursor = call.query.get('cursor') ?? undefined
        return json(
          200,
          await engine.request(identity, 'get_groups', { cursor, limit: number(call, 'limit') }),
        )
      },
    },
    {
      method: 'GET',
      pattern: '/api/chat/groups/:id/messages',
      handle: async (call) => {
        const identity = await caller(call)
        const range = {
          before: number(call, 'before'),
          after: number(call, 'after'),
          limit: number(call, 'limit'),
        }
        return json(200, await engine.request(identity, 'get_history', { groupId: groupOf(call), ...range }))
      },
    },
    {
      method: 'POST',
      pattern: '/api/chat/groups/:id/messages',
      handle: async (call) => {
        const identity = await caller(call)
        const tempId = call.idempotencyKey || randomUUID()
        // The shard refuses what is missing or of the wrong type, with the field's name.
        const body = objectOf(call) as unknown as RequestFields<'send_message'>
        const { content, type, replyToId, mentions } = body
        const fields = { groupId: groupOf(call), content, type, replyToId, mentions, tempId }
        return json(201, await engine.request(identity, 'send_message', fields))
      },
    },
  ]
}

function groupOf(call: HttpCall): string {
  return call.params[0] ?? ''
}

/** A number of the query; undefined where it is missing. */
function number(call: HttpCall, name: string): number | undefined {
  const text = call.query.get(name)
  if (text === null || text === '') return undefined
  if (!/^\d{1,16}$/.test(text))
    throw new ChatError('bad_request', `${name} takes a whole number`, { field: name })
  return Number(text)
}

function objectOf(call: HttpCall): object {
  let body: unknown
  try {
    body = JSON.parse(call.body.toString())
  } catch {
    throw new ChatError('bad_request', 'the body is not JSON')
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ChatError('bad_request', 'the body takes an object {content, …}')
  }
  return body
}
