/**
 * Refusals: the errors of what the engine cannot do now, with the time after which a client repeats its
 * request. A limit that empties faster or slower than a queue of the engine states a time of its own.
 */
import { ChatError } from '../../protocol/errors.ts'

/** A queue empties in less. After a stop, the client reconnects meanwhile. */
const RETRY_AFTER_MS = 500
/** The interval at which a failed commit is tried again is up to twice as long. */
const STORAGE_RETRY_AFTER_MS = 1_000

/** A queue is full. */
export function overloaded(message?: string): ChatError {
  return new ChatError('overloaded', message, { retryAfterMs: RETRY_AFTER_MS })
}

/** The engine stops. */
export function shuttingDown(): ChatError {
  return new ChatError('shutting_down', undefined, { retryAfterMs: RETRY_AFTER_MS })
}

/** Storage does not write, or a thread that reads or writes does not answer. */
export function storageUnavailable(): ChatError {
  return new ChatError('storage_unavailable', undefined, { retryAfterMs: STORAGE_RETRY_AFTER_MS })
}
