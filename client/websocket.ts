/**
 * WebSocket: `ws` in Node, the platform's WebSocket elsewhere.
 *
 * The WebSocket of Node 22 and newer is not used: in Node 22 a failed connection reports `error` and
 * never `close`, and after `close()` on a dead network the process does not exit. `ws` is imported
 * only in Node, so that pages do not load it.
 */
import { subprotocols } from '../protocol/subprotocols.ts'

/** How long a closing handshake may delay the exit of the process. */
const CLOSE_TIMEOUT_MS = 1_000
const protocols: ReadonlySet<string> = new Set(['ws:', 'wss:'])

/** Opens a socket with the msgpack subprotocol; its frames are `ArrayBuffer`s. */
export async function openWebSocket(url: string): Promise<WebSocket> {
  const socket = isNode() ? await openInNode(url) : new globalThis.WebSocket(url, subprotocols.msgpack)
  socket.binaryType = 'arraybuffer'
  return socket
}

/**
 * Converts `http` to `ws`, and an empty path to `/ws`.
 * @throws TypeError if a WebSocket cannot be opened to the address.
 */
export function toWebSocketUrl(url: string): string {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new TypeError(`url must be an absolute address such as http://host:4040 (got ${quoted(url)})`)
  }
  const protocol = parsed.protocol.replace(/^http/, 'ws')
  if (!protocols.has(protocol)) {
    throw new TypeError(`url must start with http:, https:, ws: or wss: (got ${quoted(url)})`)
  }
  parsed.protocol = protocol
  // A WebSocket does not accept an address with a fragment, which is never sent anyway.
  parsed.hash = ''
  if (parsed.pathname === '/') parsed.pathname = '/ws'
  return parsed.href
}

function quoted(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}

/** Other runtimes have a WebSocket, and some of them also have Node's `process`. */
function isNode(): boolean {
  return !globalThis.WebSocket || globalThis.navigator?.userAgent.startsWith('Node.js')
}

async function openInNode(url: string): Promise<WebSocket> {
  const { WebSocket: NodeWebSocket } = await import('ws')
  // Compression does not help small frames.
  const options = { perMessageDeflate: false, closeTimeout: CLOSE_TIMEOUT_MS }
  const socket = new NodeWebSocket(url, subprotocols.msgpack, options)
  return socket as unknown as WebSocket
}
