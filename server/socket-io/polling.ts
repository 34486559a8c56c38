/**
 * Polling: the HTTP requests of Engine.IO 4: handshakes, polls, packets, preflights.
 *
 * Every request is checked against the allowed origins. The server sets and reads no cookies. A body is
 * limited to 16 KiB before the client is authenticated.
 */

import type { HeldBytes } from '../held-bytes.ts'
import { MAX_NEWCOMER_BYTES } from '../newcomers.ts'
import { type OriginRule, originRefusal } from '../origins.ts'
import type { Request, Response, ResponseHead } from '../transport/transport.ts'
import type { EngineSession } from './engine-session.ts'
import { type RefusalCode, refusalMessages } from './handshake.ts'

const SEPARATOR = '\x1e'
/** Packets of one body; clients have less to send between two requests. */
const MAX_PACKETS = 4_096
const BAD_REQUEST: RefusalCode = 3
const FORBIDDEN: RefusalCode = 4
const TEXT = 'text/plain; charset=UTF-8'
const JSON_TYPE = 'application/json'

export interface PollingOptions {
  readonly originAllowed: OriginRule
  readonly held: HeldBytes
  /** The largest body of an authenticated client. */
  readonly maxBytes: number
  /** Handling a packet failed. */
  failed(error: unknown): void
}

/** Answers one request: the headers for its origin are added. */
export type Answer = (status: number, type: string, body: string, headers?: ResponseHead['headers']) => void

/** The answer of a request. Its origin is read now. */
export function answerOf(request: Request, response: Response): Answer {
  const origin = request.header('origin')
  return (status, type, body, headers = []) => {
    const lines: [string, string][] = [
      ['Content-Type', type],
      ['Cache-Control', 'no-store'],
      ['X-Content-Type-Options', 'nosniff'],
      ['Vary', 'Origin'],
    ]
    for (const [name, value] of headers) lines.push([name, value])
    // Not because of cookies: browsers require it of clients with `withCredentials`.
    if (origin !== '' && status !== 403) {
      lines.push(['Access-Control-Allow-Origin', origin], ['Access-Control-Allow-Credentials', 'true'])
    }
    response.end({ status, headers: lines }, Buffer.from(body))
  }
}

export function refuse(answer: Answer, code: RefusalCode, status = 400, message?: string): void {
  answer(status, JSON_TYPE, JSON.stringify({ code, message: message ?? refusalMessages[code] }))
}

export class Polling {
  readonly #options: PollingOptions

  constructor(options: PollingOptions) {
    this.#options = options
  }

  /** Answers preflights and requests of pages that are not allowed. Returns true if it did. */
  answered(request: Request, answer: Answer): boolean {
    const origin = request.header('origin')
    if (!this.#options.originAllowed(origin, request.header('host'))) {
      refuse(answer, FORBIDDEN, 403, originRefusal(origin))
      return true
    }
    if (request.method !== 'OPTIONS') return false
    const asked = request.header('access-control-request-headers')
    answer(200, TEXT, '', [
      ['Access-Control-Allow-Methods', 'GET, POST'],
      ['Access-Control-Max-Age', '600'],
      ...(asked === '' ? [] : ([['Access-Control-Allow-Headers', asked]] as const)),
    ])
    return true
  }

  handshake(answer: Answer, openPacket: string): void {
    answer(200, TEXT, openPacket)
  }

  /** A request of a session. */
  handle(session: EngineSession, request: Request, response: Response, answer: Answer): void {
    const { method } = request
    if (session.socket) refuse(answer, BAD_REQUEST)
    else if (method === 'GET') this.#poll(session, response, answer)
    else if (method === 'POST') this.#read(session, response, answer)
    else refuse(answer, BAD_REQUEST)
  }

  #poll(session: EngineSession, response: Response, answer: Answer): void {
    if (session.hasPoll) {
      refuse(answer, BAD_REQUEST)
      session.close()
      return
    }
    const poll = { response, answer: (packets: string) => answer(200, TEXT, packets) }
    response.onAborted(() => session.pollAborted(poll))
    session.poll(poll)
  }

  #read(session: EngineSession, response: Response, answer: Answer): void {
    if (session.isReading) {
      refuse(answer, BAD_REQUEST)
      session.close()
      return
    }
    const { held } = this.#options
    const maxBytes = session.isTrusted ? this.#options.maxBytes : MAX_NEWCOMER_BYTES
    const owner = session.user?.userId ?? ''
    let chunks: Buffer[] | null = []
    let bytes = 0
    let heldBytes = 0
    session.isReading = true
    const done = (): void => {
      session.isReading = false
      chunks = null
      held.remove(heldBytes, owner)
      heldBytes = 0
    }
    // Small bodies are accepted whatever others send.
    const hold = (more: number): boolean => {
      const added = Math.max(0, bytes + more - MAX_NEWCOMER_BYTES) - heldBytes
      if (bytes + more > maxBytes || !held.add(added, owner)) return false
      bytes += more
      heldBytes += added
      return true
    }
    response.onAborted(() => {
      if (!chunks) return
      done()
      session.close()
    })
    response.onData((chunk, isLast) => {
      if (!chunks) return
      if (!hold(chunk.length)) {
        done()
        refuse(answer, BAD_REQUEST, 413)
        session.close()
        return
      }
      chunks.push(Buffer.from(chunk))
      if (!isLast) return
      const body = Buffer.concat(chunks, bytes).toString()
      done()
      if (this.#receive(session, body)) answer(200, 'text/html', 'ok')
      else refuse(answer, BAD_REQUEST)
    })
  }

  #receive(session: EngineSession, body: string): boolean {
    try {
      return receiveAll(session, body)
    } catch (error) {
      // No input of a client ends the process (INP-2).
      this.#options.failed(error)
      return false
    }
  }
}

/** Handles the packets of a body. Returns false if one is malformed, or if there are too many. */
function receiveAll(session: EngineSession, body: string): boolean {
  for (let at = 0, count = 1; at <= body.length; count++) {
    if (count > MAX_PACKETS) {
      session.close()
      return false
    }
    const mark = body.indexOf(SEPARATOR, at)
    const end = mark < 0 ? body.length : mark
    const packet = body.slice(at, end)
    const decoded = packet[0] === 'b' ? Buffer.from(packet.slice(1), 'base64') : packet
    if (!session.isOpen) return true
    if (!session.receive(decoded)) return false
    at = end + 1
  }
  return true
}
