/**
 * `GET /ws` without a handshake: 426 (TRN-3).
 */
import { ChatError } from '../../protocol/errors.ts'
import { errorReply } from './reply.ts'
import type { Route } from './router.ts'

const error = new ChatError('bad_request', 'this path requires a WebSocket handshake')

/** The route of requests that the transport did not recognise as a handshake. */
export function upgradeRequiredRoute(): Route {
  const reply = errorReply(error, 426, { Upgrade: 'websocket', Connection: 'Upgrade' })
  return { method: 'GET', pattern: '/ws', handle: () => reply }
}
