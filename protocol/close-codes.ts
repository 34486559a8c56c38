/**
 * Close codes: why a connection ended, and whether the client reconnects. 1001 to 1013 and
 * 4000 to 4399: reconnect and resume. 4400 and up: reconnect only after the cause is removed.
 */
export interface CloseSpec {
  readonly code: number
  readonly meaning: string
  /** What a client does. */
  readonly advice: string
  readonly reconnect: boolean
}

// biome-ignore format: one row a line
export const closeCodes = {
  shutdown: { code: 1001, meaning: 'the server is stopping', advice: 'reconnect after the announced time, resume', reconnect: true },
  too_big: { code: 1009, meaning: 'a frame far above the size limit; it was not read', advice: 'reconnect and resume; do not send the frame again', reconnect: true },
  failed: { code: 1011, meaning: 'the server failed; it has been logged', advice: 'reconnect and resume', reconnect: true },
  try_later: { code: 1013, meaning: 'the server cannot accept the connection now', advice: 'reconnect later and resume', reconnect: true },
  slow_reader: { code: 4008, meaning: 'the connection read too slowly', advice: 'reconnect and resume', reconnect: true },
  rate_limit_ignored: { code: 4029, meaning: 'continued to send above the rate limit', advice: 'wait, reconnect, resume', reconnect: true },
  malformed: { code: 4400, meaning: 'ten malformed frames in a minute', advice: 'fix the client', reconnect: false },
  unauthenticated: { code: 4401, meaning: 'the token is missing, invalid or too late', advice: 'get a token, reconnect', reconnect: false },
  token_expired: { code: 4402, meaning: 'the token has expired', advice: 'get a newer token, reconnect', reconnect: false },
  revoked: { code: 4403, meaning: 'access was revoked', advice: 'sign in again', reconnect: false },
  too_many_sessions: { code: 4409, meaning: 'a newer session of this user replaced this one', advice: 'reconnect only when the user asks for it', reconnect: false },
} as const satisfies Record<string, CloseSpec>

export type CloseReason = keyof typeof closeCodes

/** Whether a client reconnects after a close with `code`: the range decides, also for a code of a newer server. */
export function mayReconnect(code: number): boolean {
  return code < 4400
}
