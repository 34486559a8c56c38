/**
 * Upgrade: what a WebSocket handshake asks for, read at once and without waiting (SPEC 1).
 *
 * The token is taken from the first place that has one: `Authorization: Bearer`, `?token=`, a
 * subprotocol entry `bearer.<jwt>`. It is not judged here.
 */
import type { HttpRequest } from 'uWebSockets.js'
import { subprotocols } from '../protocol/subprotocols.ts'

export interface UpgradeRequest {
  readonly origin: string
  readonly host: string
  readonly key: string
  readonly extensions: string
  /** What the answer names as the subprotocol; empty where none was offered. */
  readonly protocol: string
  readonly json: boolean
  /** Subprotocols were offered, and none of them is spoken here. */
  readonly foreign: boolean
  readonly token: string | null
}

/** Reads the request; only possible while uWebSockets.js's handler runs. */
export function readUpgrade(req: HttpRequest): UpgradeRequest {
  const offered = req
    .getHeader('sec-websocket-protocol')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const bearer = offered.find((entry) => entry.startsWith(subprotocols.bearerPrefix))
  const named = offered.filter((entry) => !entry.startsWith(subprotocols.bearerPrefix))
  const protocol = named.find((entry) => entry === subprotocols.msgpack || entry === subprotocols.json) ?? ''
  return {
    origin: req.getHeader('origin'),
    host: req.getHeader('host'),
    key: req.getHeader('sec-websocket-key'),
    extensions: req.getHeader('sec-websocket-extensions'),
    protocol,
    json: protocol === subprotocols.json,
    foreign: protocol === '' && named.length > 0,
    token:
      bearerToken(req.getHeader('authorization')) ||
      req.getQuery('token') ||
      bearer?.slice(subprotocols.bearerPrefix.length) ||
      null,
  }
}

/** The token of an `Authorization` header; empty where there is none. */
export function bearerToken(authorization: string): string {
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? ''
}
