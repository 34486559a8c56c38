/**
 * Client errors: why a request got no answer at all. What a server refuses is a `ChatError`.
 * Act on the code, never on the text.
 */
export const clientErrors = {
  connection_lost: 'the connection was lost before the answer came; whether it was done is not known',
  timeout: 'no answer came in time; whether it was done is not known',
  closed: 'the client is closed',
  refused: 'the server refused the connection for good',
} as const

export type ClientErrorCode = keyof typeof clientErrors

/** A request without an answer, or a connection that cannot be made. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  /** With `refused`: the close code, of the table in `tertulia/protocol`. */
  readonly closeCode: number | undefined

  constructor(code: ClientErrorCode, message: string = clientErrors[code], closeCode?: number) {
    super(message)
    this.code = code
    this.closeCode = closeCode
  }
}

/** Whether a request failed for want of a connection, so that it may be made again on the next. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'connection_lost'
}
