/**
 * Upgrade: what a WebSocket handshake asks for, read at once and without waiting (TRN-3).
 *
 * The token is taken from the first place that has one: `Authorization: Bearer`, `?token=`, a
 * subprotocol entry `bearer.<jwt>`. It is not judged here.
 */
import { subprotocols } from '../protocol/subprotocols.ts'
import type { Request } from './transport/transport.ts'

export interface UpgradeRequest {
  readonly origin: string
  readonly host: string
  /** `Sec-WebSocket-Version`. */
  readonly version: string
  /** What the answer names as the subprotocol; empty where none was offered. */
  readonly protocol: string
  readonly json: boolean
  /** Subprotocols were offered, and none of them is spoken here. */
  readonly foreign: boolean
  readonly token: string | null
}

/** Reads a handshake; only possible while its handler runs. */
export function readUpgrade(request: Request): UpgradeRequest {
  // Also in several lines: RFC 6455 11.3.4, AUT-3.
  const offered = request
    .list('sec-websocket-protocol')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const bearer = offered.find((entry) => entry.startsWith(subprotocols.bearerPrefix))
  const named = offered.filter((entry) => !entry.startsWith(subprotocols.bearerPrefix))
  const protocol = named.find((entry) => entry === subprotocols.msgpack || entry === subprotocols.json) ?? ''
  return {
    origin: request.header('origin'),
    host: request.header('host'),
    version: request.header('sec-websocket-version'),
    protocol,
    json: protocol === subprotocols.json,
    foreign: protocol === '' && named.length > 0,
    token:
      bearerToken(request.header('authorization')) ||
      new URLSearchParams(request.query).get('token') ||
      bearer?.slice(subprotocols.bearerPrefix.length) ||
      null,
  }
}

/** The token of an `Authorization` header; empty where there is none. */
export function bearerToken(authorization: string): string {
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? ''
}
