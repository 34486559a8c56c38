/**
 * Handshake: what an Engine.IO 4 request asks for, and the tokens of Socket.IO clients (SIO-1, AUT-1).
 *
 * Apps put their token in one of many places; `Bearer ` is removed from all of them. The transport is
 * that of the request, not of its query: Dart clients open a WebSocket with `transport=polling`.
 */
import type { Request } from '../transport/transport.ts'
import type { UpgradeRequest } from '../upgrade.ts'
import { msgpackWire } from '../wire.ts'

/** The refusals of Engine.IO, by code. */
export const refusalMessages = [
  'Transport unknown',
  'Session ID unknown',
  'Bad handshake method',
  'Bad request',
  'Forbidden',
  'Unsupported protocol version',
] as const

export type RefusalCode = 0 | 1 | 2 | 3 | 4 | 5

export interface EngineRequest {
  /** Empty in a handshake. */
  readonly sid: string
  /** `polling` or `websocket` in the query. */
  readonly transport: string
  /** The token of the query or of the header; empty if there is none. */
  readonly token: string
}

const WEBSOCKET_VERSION = '13'
const MAX_QUERY_CHARS = 16_384

/** Reads a request, or returns the code of its refusal; only valid while its handler runs. */
export function readEngineRequest(request: Request): EngineRequest | RefusalCode {
  const query = queryOf(request)
  if (query.get('EIO') !== '4') return 5
  const transport = query.get('transport') ?? ''
  if (transport !== 'polling' && transport !== 'websocket') return 0
  const token = firstText([request.header('authorization'), query.get('token'), query.get('access_token')])
  return { sid: query.get('sid') ?? '', transport, token }
}

/** The parameters of a request; its text form is valid in any URL. */
export function queryOf(request: Request): URLSearchParams {
  return new URLSearchParams(request.query.slice(0, MAX_QUERY_CHARS))
}

/** For the checks that every handshake passes. The token counts only in CONNECT, so none is reported. */
export function asUpgrade(request: Request, isWebSocket: boolean): UpgradeRequest {
  return {
    origin: request.header('origin'),
    host: request.header('host'),
    version: isWebSocket ? request.header('sec-websocket-version') : WEBSOCKET_VERSION,
    protocol: '',
    wire: msgpackWire,
    foreign: false,
    token: null,
  }
}

/** For a further CONNECT on an accepted transport. */
export const reconnecting: UpgradeRequest = {
  origin: '',
  host: '',
  version: WEBSOCKET_VERSION,
  protocol: '',
  wire: msgpackWire,
  foreign: false,
  token: null,
}

/** The token in the payload of CONNECT, else the one of the handshake; empty if there is none. */
export function tokenOf(auth: unknown, ofHandshake: string): string {
  const given = (auth ?? {}) as Readonly<Record<string, unknown>>
  const { token, accessToken, access_token, jwt, authorization } = given
  return firstText([token, accessToken, access_token, jwt, authorization, ofHandshake])
}

function firstText(values: readonly unknown[]): string {
  for (const value of values) {
    if (typeof value !== 'string') continue
    const token = value.replace(/^bearer\s+/i, '').trim()
    if (token !== '') return token
  }
  return ''
}
