/**
 * Reply: what an HTTP handler returns, and the conversion of errors to responses: `{error: {code, message,
 * field?, retryAfterMs?}}` with the status of the table of errors.
 */
import { ChatError, errors } from '../../protocol/errors.ts'
import type { BodySource } from './send-body.ts'

export interface HttpReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A source is streamed, then closed. */
  readonly body?: string | BodySource
}

/** A JSON reply that caches must not store. */
export function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
    body: JSON.stringify(value),
  }
}

/** The reply for an error of a handler; `status` overrides the status of the table. */
export function errorReply(
  error: unknown,
  status?: number,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  const { code, message, field, retryAfterMs } = ChatError.from(error)
  const more: Record<string, string> = { ...headers }
  if (retryAfterMs !== undefined) more['Retry-After'] = String(Math.ceil(retryAfterMs / 1_000))
  if (code === 'unauthenticated') more['WWW-Authenticate'] = 'Bearer'
  return json(status ?? errors[code].status, { error: { code, message, field, retryAfterMs } }, more)
}
