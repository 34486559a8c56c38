/**
 * `GET /api/chat/ice-servers`: the STUN and TURN servers for calls, for users with a token only, because
 * they have credentials.
 */
import type { Settings } from '../config.ts'
import { type CallerOptions, callerOf } from './caller.ts'
import { json } from './reply.ts'
import type { Route } from './router.ts'

export function iceServersRoute(options: CallerOptions & Pick<Settings, 'iceServers'>): Route {
  return {
    method: 'GET',
    pattern: '/api/chat/ice-servers',
    handle: async (call) => {
      await callerOf(call, options, 'reads')
      return json(200, { iceServers: options.iceServers })
    },
  }
}
