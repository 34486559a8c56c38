/**
 * Bad request: JSON answers for input that is not an HTTP request.
 */
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ResponseHead } from '../transport.ts'

const statusOfCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

const meaningOf: Readonly<Record<number, string>> = {
  408: 'the request did not arrive in time',
  413: 'the extensions of a chunk are too large',
  431: 'the headers are too large: use a shorter token, or send it in the first frame',
}

/** Errors of a connection that can no longer be written to, or not yet. */
const mute: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'ERR_TLS_HANDSHAKE_TIMEOUT'])

/** Answers input that Node's parser refuses, and closes the connection. */
export function answerBadRequest(error: NodeJS.ErrnoException, connection: Duplex): void {
  // Nothing can be sent in the middle of a response.
  const { _httpMessage: response } = connection as { _httpMessage?: { readonly headersSent: boolean } | null }
  if (!connection.writable || mute.has(error.code) || response?.headersSent) {
    connection.destroy()
    return
  }
  const status = statusOfCode[error.code ?? ''] ?? 400
  const message = meaningOf[status] ?? 'not an HTTP/1.1 request'
  const body = Buffer.from(JSON.stringify({ error: { code: 'bad_request', message } }))
  const head = { status, headers: [['Content-Type', 'application/json']] } as const
  connection.end(rawResponse(head, body))
}

/** A complete response, after which the connection is closed. */
export function rawResponse({ status, headers }: ResponseHead, body: Uint8Array): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}
