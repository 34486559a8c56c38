/**
 * Bad request: answers for what never becomes a request, as JSON like all other errors.
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
  408: 'the request did not come in time',
  413: 'the extensions of a chunk are too large',
  431: 'the headers are too large: a long token goes in the first frame, or use a shorter one',
}

/** What Node's parser refuses: answered, and the connection ended. */
export function answerBadRequest(error: NodeJS.ErrnoException, connection: Duplex): void {
  // In the middle of a response there is nothing to say.
  const { _httpMessage: response } = connection as { _httpMessage?: { readonly headersSent: boolean } | null }
  if (!connection.writable || error.code === 'ECONNRESET' || response?.headersSent) {
    connection.destroy()
    return
  }
  const status = statusOfCode[error.code ?? ''] ?? 400
  const message = meaningOf[status] ?? 'this is not a request of HTTP/1.1'
  const body = Buffer.from(JSON.stringify({ error: { code: 'bad_request', message } }))
  const head = { status, headers: [['Content-Type', 'application/json']] } as const
  connection.end(rawResponse(head, body))
}

/** A whole response, after which the connection ends. */
export function rawResponse({ status, headers }: ResponseHead, body: Uint8Array): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}
