/**
 * WebSocket: the one of the platform, or `ws` where there is none (Node 20). `ws` is imported only
 * then, so that a page loads nothing of it.
 */
import { subprotocols } from '../protocol/subprotocols.ts'

/**
 * Begins to open a socket that speaks msgpack; its frames are `ArrayBuffer`s.
 * @throws SyntaxError where `url` is none.
 */
export async function openWebSocket(url: string): Promise<WebSocket> {
  const socket = globalThis.WebSocket
    ? new globalThis.WebSocket(url, subprotocols.msgpack)
    : await openInNode(url)
  socket.binaryType = 'arraybuffer'
  return socket
}

/** `http` becomes `ws`, and without a path it is the server's own, `/ws`. */
export function toWebSocketUrl(url: string): string {
  const parsed = new URL(url)
  parsed.protocol = parsed.protocol.replace(/^http/, 'ws')
  if (parsed.pathname === '/') parsed.pathname = '/ws'
  return parsed.href
}

async function openInNode(url: string): Promise<WebSocket> {
  const { WebSocket: NodeWebSocket } = await import('ws')
  // Small frames gain nothing from compression, and the server does not do it.
  const socket = new NodeWebSocket(url, subprotocols.msgpack, { perMessageDeflate: false })
  return socket as unknown as WebSocket
}
