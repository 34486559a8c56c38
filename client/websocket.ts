/**
 * WebSocket: `ws` in Node, elsewhere the one of the platform.
 *
 * Node's own (22 and newer) is not used: in Node 22 a connection that cannot be made reports
 * `error` and never `close`, and after `close()` on a dead network it holds the process for ever.
 * `ws` is imported only in Node, so that a page loads nothing of it.
 */
import { subprotocols } from '../protocol/subprotocols.ts'

/** How long a closing handshake may hold the process. */
const CLOSE_TIMEOUT_MS = 1_000
const protocols: ReadonlySet<string> = new Set(['ws:', 'wss:'])

/** Begins to open a socket that speaks msgpack; its frames are `ArrayBuffer`s. */
export async function openWebSocket(url: string): Promise<WebSocket> {
  const socket = isNode() ? await openInNode(url) : new globalThis.WebSocket(url, subprotocols.msgpack)
  socket.binaryType = 'arraybuffer'
  return socket
}

/**
 * `http` becomes `ws`; without a path it is the server's own, `/ws`.
 * @throws TypeError for what no WebSocket can be opened to.
 */
export function toWebSocketUrl(url: string): string {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new TypeError(`url must be an absolute address such as http://host:4040; it was ${quoted(url)}`)
  }
  const protocol = parsed.protocol.replace(/^http/, 'ws')
  if (!protocols.has(protocol)) {
    throw new TypeError(`url must begin with http:, https:, ws: or wss:; it was ${quoted(url)}`)
  }
  parsed.protocol = protocol
  // A WebSocket refuses an address with a fragment, which never leaves the client anyway.
  parsed.hash = ''
  if (parsed.pathname === '/') parsed.pathname = '/ws'
  return parsed.href
}

function quoted(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}

/** Other runtimes have a WebSocket, and some of them also Node's `process`. */
function isNode(): boolean {
  return !globalThis.WebSocket || globalThis.navigator?.userAgent.startsWith('Node.js')
}

async function openInNode(url: string): Promise<WebSocket> {
  const { WebSocket: NodeWebSocket } = await import('ws')
  // Small frames gain nothing from compression, and the server does not do it.
  const options = { perMessageDeflate: false, closeTimeout: CLOSE_TIMEOUT_MS }
  const socket = new NodeWebSocket(url, subprotocols.msgpack, options)
  return socket as unknown as WebSocket
}
