/**
 * Upgrade: the contents of a WebSocket handshake, read synchronously (TRN-3).
 *
 * The token comes from the first place that has one: `Authorization: Bearer`, `?token=`, a subprotocol
 * entry `bearer.<jwt>`. It is not validated here.
 */
import { subprotocols } from '../protocol/subprotocols.ts'
import type { Request } from './transport/transport.ts'
import { type Wire, wires } from './wire.ts'

export interface UpgradeRequest {
  readonly origin: string
  readonly host: string
  /** `Sec-WebSocket-Version`. */
  readonly version: string
  /** The subprotocol in the answer; empty if none was offered. */
  readonly protocol: string
  /** The wire of that subprotocol, or the default one. */
  readonly wire: Wire
  /** Subprotocols were offered, but the server supports none of them. */
  readonly foreign: boolean
  readonly token: string | null
}

/** Reads a handshake; only valid while its handler runs. */
export function readUpgrade(request: Request): UpgradeRequest {
  // Also on several lines: RFC 6455 11.3.4, AUT-3.
  const offered = request
    .list('sec-websocket-protocol')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const bearer = offered.find((entry) => entry.startsWith(subprotocols.bearerPrefix))
  const named = offered.filter((entry) => !entry.startsWith(subprotocols.bearerPrefix))
  const found = named.flatMap((entry) => wires.find(({ subprotocol }) => subprotocol === entry) ?? [])[0]
  return {
    origin: request.header('origin'),
    host: request.header('host'),
    version: request.header('sec-websocket-version'),
    protocol: found?.subprotocol ?? '',
    wire: found ?? wires[0],
    foreign: !found && named.length > 0,
    token:
      bearerToken(request.header('authorization')) ||
      new URLSearchParams(request.query).get('token') ||
      bearer?.slice(subprotocols.bearerPrefix.length) ||
      null,
  }
}

/** The token of an `Authorization` header; empty if it has none. */
export function bearerToken(authorization: string): string {
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? ''
}
