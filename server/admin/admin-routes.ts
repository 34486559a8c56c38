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
import type { ConnectionFigures } from './user-connections.ts'

export interface AdminOptions extends CallerOptions {
  readonly live: Live
  readonly connections: ConnectionsOfUsers
  readonly recent: LogLines | undefined
}

/** The connections of users, to this process or to all fronts. */
export interface ConnectionsOfUsers {
  list(userId: string): Promise<readonly ConnectionFigures[]>
  /** Ends one connection, or all of the user. Returns their number. */
  end(userId: string, id: number | null, by: string): Promise<number>
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
    route('GET', 'users/:userId/connections', async (call) => {
      return json(200, { connections: await connections.list(userOf(call)) })
    }),
    route('DELETE', 'users/:userId/connections', async (call, by) => {
      return json(200, { ended: await connections.end(userOf(call), null, by) })
    }),
    route('DELETE', 'users/:userId/connections/:id', async (call, by) => {
      const ended = await connections.end(userOf(call), idOf(call), by)
      if (ended === 0) throw new ChatError('not_found', 'the connection is closed')
      return json(200, { ended })
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
