/**
 * Client errors: why a request has no answer. An error from the server is a `ChatError`.
 * Act on the code, never on the text.
 */
export const clientErrors = {
  connection_lost:
    'the connection was lost before the answer; it is unknown whether the request was executed',
  timeout: 'no answer within the time limit; it is unknown whether the request was executed',
  closed: 'the client is closed',
  refused: 'the server rejected the connection, and a retry cannot help',
} as const

export type ClientErrorCode = keyof typeof clientErrors

/** A request without an answer, or a connection that cannot be established. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  /** With `refused`: the close code, from the table in `tertulia/protocol`. */
  readonly closeCode: number | undefined

  constructor(code: ClientErrorCode, message: string = clientErrors[code], closeCode?: number) {
    super(message)
    this.code = code
    this.closeCode = closeCode
  }
}

/** Whether a request failed because its connection ended, so that it can be sent on the next one. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'connection_lost'
}
