/**
 * Admin routes: what the dashboard at `/admin` reads and does. Every route requires the token of an
 * operator (`adminOf`) and is charged to their budget of reads.
 */

import { ChatError } from '../../protocol/errors.ts'
import { userId as userIdField } from '../../protocol/ids.ts'
import { refusalOf } from '../../protocol/validation.ts'
import { adminOf, type CallerOptions } from '../http/caller.ts'
import { type HttpReply, json } from '../http/reply.ts'
import type { HttpCall, Route } from '../http/router.ts'
import type { Live } from './live-figures.ts'
import type { LogLines } from './recent-lines.ts'
import type { UserConnections } from './user-connections.ts'

export interface AdminOptions extends CallerOptions {
  readonly live: Live
  readonly connections: UserConnections
  readonly recent: LogLines | undefined
}

type Handle = (call: HttpCall, by: string) => HttpReply | Promise<HttpReply>

/** The routes below `/api/admin`. */
export function adminRoutes(options: AdminOptions): readonly Route[] {
  const { live, connections, recent } = options
  const route = (method: Route['method'], pattern: string, handle: Handle): Route => ({
    method,
    pattern: `/api/admin/${pattern}`,
    handle: async (call) => {
      const { identity } = await adminOf(call, options)
      return handle(call, identity.userId)
    },
  })
  return [
    route('GET', 'live', async () => ({ ...json(200, null), body: await live.text() })),
    route('GET', 'log', ({ query }) => json(200, recent?.from(from(query)) ?? { next: 0, lines: [] })),
    route('GET', 'users/:userId/connections', (call) => {
      return json(200, { connections: connections.list(userOf(call)) })
    }),
    route('DELETE', 'users/:userId/connections', (call, by) => {
      return json(200, { ended: connections.end(userOf(call), null, by) })
    }),
    route('DELETE', 'users/:userId/connections/:id', (call, by) => {
      return json(200, { ended: connections.end(userOf(call), idOf(call), by) })
    }),
  ]
}

function from(query: URLSearchParams): number {
  const text = query.get('from') ?? '0'
  if (!/^\d{1,15}$/.test(text))
    throw new ChatError('bad_request', 'from must be an integer', { field: 'from' })
  return Number(text)
}

function userOf({ params: [userId = ''] }: HttpCall): string {
  const refusal = refusalOf(userIdField, userId)
  if (refusal !== undefined) throw new ChatError('bad_request', `userId ${refusal}`, { field: 'userId' })
  return userId
}

function idOf({ params: [, id = ''] }: HttpCall): number {
  if (!/^\d{1,15}$/.test(id)) throw new ChatError('not_found', 'the connection is closed')
  return Number(id)
}
