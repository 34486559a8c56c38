/**
 * Errors: one table, one class, one mapping. A client acts on the code, never on the text.
 * Any other exception is logged with its cause, and the client receives `internal` without details.
 */
export interface ErrorSpec {
  /** What the error means and what to do; also the default text of the error. */
  readonly meaning: string
  /** Whether the same request may succeed later without any other change. */
  readonly retry: boolean
  /** The HTTP status. */
  readonly status: number
}

// biome-ignore format: one row a line
export const errors = {
  bad_request: { meaning: 'a field or the frame does not have the form that the table gives', retry: false, status: 400 },
  unknown_event: { meaning: 'no request has this code or name', retry: false, status: 400 },
  unauthenticated: { meaning: 'a valid token is required', retry: false, status: 401 },
  role_needed: { meaning: 'the caller’s role in the group does not allow it', retry: false, status: 403 },
  higher_role: { meaning: 'the target has a higher role than the caller', retry: false, status: 403 },
  direct_chat: { meaning: 'the two members of a direct chat cannot change', retry: false, status: 403 },
  banned: { meaning: 'the user is banned from the group', retry: false, status: 403 },
  muted: { meaning: 'the caller is muted in the group; wait for retryAfterMs', retry: false, status: 403 },
  not_yours: { meaning: 'only the sender of the message may do this', retry: false, status: 403 },
  forbidden: { meaning: 'this service does not allow it to the caller', retry: false, status: 403 },
  rejected: { meaning: 'this service rejects the message', retry: false, status: 422 },
  no_contact: { meaning: 'one of the two users does not allow contact with the other', retry: false, status: 403 },
  not_a_member: { meaning: 'only members of the group may do this', retry: false, status: 403 },
  not_found: { meaning: 'nothing with this id exists that the caller may see', retry: false, status: 404 },
  already_exists: { meaning: 'the id is already in use', retry: false, status: 409 },
  too_large: { meaning: 'the frame or body is over the limit', retry: false, status: 413 },
  recall_expired: { meaning: 'too late: a message can be recalled for five minutes', retry: false, status: 409 },
  edit_expired: { meaning: 'too late: the time limit for edits has passed', retry: false, status: 409 },
  last_admin: { meaning: 'a group must have at least one admin', retry: false, status: 409 },
  limit_reached: { meaning: 'the limit for this kind of object is reached', retry: false, status: 409 },
  bad_file: { meaning: 'the file does not match its announced size, hash or type', retry: false, status: 422 },
  quota_exceeded: { meaning: 'the files of the caller use all the bytes that the service allows; delete some first', retry: false, status: 409 },
  group_full: { meaning: 'the group has reached its limit of members', retry: false, status: 409 },
  rate_limited: { meaning: 'too many events; wait for retryAfterMs', retry: true, status: 429 },
  overloaded: { meaning: 'a queue is full; wait for retryAfterMs', retry: true, status: 503 },
  storage_unavailable: { meaning: 'the storage cannot write now; wait for retryAfterMs', retry: true, status: 503 },
  unavailable: { meaning: 'a service that the server depends on does not answer; wait for retryAfterMs', retry: true, status: 503 },
  shutting_down: { meaning: 'the server is stopping; reconnect', retry: true, status: 503 },
  internal: { meaning: 'the server failed; the cause is in its log', retry: true, status: 500 },
} as const satisfies Record<string, ErrorSpec>

export type ErrorCode = keyof typeof errors

export interface ErrorDetails {
  /** The invalid field. */
  readonly field?: string | undefined
  /** Retry after this many milliseconds. */
  readonly retryAfterMs?: number | undefined
  /**
   * The frame could not be decoded, or a field has the wrong type: counts towards 4400 (INP-1). A
   * request with correct types and a value that is not allowed is not malformed. Not sent to clients.
   */
  readonly malformed?: boolean | undefined
}

/** An error that is sent to clients. `message` must contain nothing internal. */
export class ChatError extends Error {
  override readonly name = 'ChatError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly retryAfterMs: number | undefined
  readonly malformed: boolean

  constructor(code: ErrorCode, message: string = errors[code].meaning, details: ErrorDetails = {}) {
    super(message)
    this.code = code
    this.field = details.field
    this.retryAfterMs = details.retryAfterMs
    this.malformed = details.malformed === true
  }

  /** The error that the client receives: a `ChatError` as it is, any other error as `internal`. */
  static from(error: unknown): ChatError {
    return error instanceof ChatError ? error : new ChatError('internal')
  }

  /** The fields of the `error` event. */
  toFields(): {
    code: string
    message: string
    field?: string | undefined
    retryAfterMs?: number | undefined
  } {
    return { code: this.code, message: this.message, field: this.field, retryAfterMs: this.retryAfterMs }
  }

  /** The error for the fields of an answer. An unknown code (from a newer server) becomes `internal`. */
  static fromFields(fields: { code: string; message: string } & ErrorDetails): ChatError {
    const code = Object.hasOwn(errors, fields.code) ? (fields.code as ErrorCode) : 'internal'
    return new ChatError(code, fields.message, fields)
  }
}
