/**
 * Errors: one table, one class, one mapping. A client acts on the code, never on the text.
 * What is not a `ChatError` is logged with its cause and shown as `internal`, with nothing of it.
 */
export interface ErrorSpec {
  /** What it means and what to do about it; also the default text of the error. */
  readonly meaning: string
  /** Whether the same request may succeed later without anything else having changed. */
  readonly retry: boolean
  /** The status over HTTP. */
  readonly status: number
}

// biome-ignore format: one row a line
export const errors = {
  bad_request: { meaning: 'a field or the frame is not of the form the table gives', retry: false, status: 400 },
  unknown_event: { meaning: 'no request has this code or name', retry: false, status: 400 },
  unauthenticated: { meaning: 'a valid token is needed', retry: false, status: 401 },
  role_needed: { meaning: 'the caller’s role in the group does not allow it', retry: false, status: 403 },
  higher_role: { meaning: 'not against someone of a higher role', retry: false, status: 403 },
  direct_chat: { meaning: 'a direct chat has two members for good', retry: false, status: 403 },
  banned: { meaning: 'banned from the group', retry: false, status: 403 },
  muted: { meaning: 'may not post in the group at present; wait for retryAfterMs', retry: false, status: 403 },
  not_yours: { meaning: 'only for who sent the message', retry: false, status: 403 },
  forbidden: { meaning: 'this service does not allow it to the caller', retry: false, status: 403 },
  rejected: { meaning: 'this service does not take the message', retry: false, status: 422 },
  no_contact: { meaning: 'one of the two does not take part in contact with the other', retry: false, status: 403 },
  not_a_member: { meaning: 'only for members of the group', retry: false, status: 403 },
  not_found: { meaning: 'nothing of that id exists, as far as the caller may know', retry: false, status: 404 },
  already_exists: { meaning: 'the id is taken', retry: false, status: 409 },
  too_large: { meaning: 'the frame or body is over the limit', retry: false, status: 413 },
  recall_expired: { meaning: 'too late: a message is recalled within five minutes', retry: false, status: 409 },
  edit_expired: { meaning: 'too late: the time for edits is over', retry: false, status: 409 },
  last_admin: { meaning: 'a group keeps one admin at least', retry: false, status: 409 },
  limit_reached: { meaning: 'there are as many of them as there may be', retry: false, status: 409 },
  bad_file: { meaning: 'the file is not what was announced', retry: false, status: 422 },
  quota_exceeded: { meaning: 'the files of the caller take as many bytes as the service allows; delete some first', retry: false, status: 409 },
  group_full: { meaning: 'the group has as many members as it may', retry: false, status: 409 },
  rate_limited: { meaning: 'too many events; wait for retryAfterMs', retry: true, status: 429 },
  overloaded: { meaning: 'a queue is full; wait for retryAfterMs', retry: true, status: 503 },
  storage_unavailable: { meaning: 'the disk takes no writes at present; wait for retryAfterMs', retry: true, status: 503 },
  unavailable: { meaning: 'something that the server needs does not answer at present; wait for retryAfterMs', retry: true, status: 503 },
  shutting_down: { meaning: 'the server is stopping; connect again', retry: true, status: 503 },
  internal: { meaning: 'the server failed; it has been logged', retry: true, status: 500 },
} as const satisfies Record<string, ErrorSpec>

export type ErrorCode = keyof typeof errors

export interface ErrorDetails {
  /** The field to blame. */
  readonly field?: string | undefined
  /** When a retry makes sense, milliseconds from now. */
  readonly retryAfterMs?: number | undefined
  /**
   * The frame could not be decoded, or a field has the wrong type: counts towards 4400 (INP-1). A
   * well-formed request whose value is refused is not malformed. Not shown to clients.
   */
  readonly malformed?: boolean | undefined
}

/** A refusal that a client may see. `message` must hold nothing internal. */
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

  /** What a client is shown of any error; what was not meant for it becomes `internal`. */
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

  /** The error that an answer's fields stand for; an unknown code (a newer server) is `internal`. */
  static fromFields(fields: { code: string; message: string } & ErrorDetails): ChatError {
    const code = Object.hasOwn(errors, fields.code) ? (fields.code as ErrorCode) : 'internal'
    return new ChatError(code, fields.message, fields)
  }
}
