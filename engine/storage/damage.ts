/**
 * Damage: whether an SQLite error means that the file is damaged. Retries do not help then.
 */
import { ChatError } from '../../protocol/errors.ts'

const RETRY_AFTER_MS = 30_000

export function isDamage(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB)/.test(code)
}

/** The reason why an engine with a damaged database is not ready. */
export const DAMAGED = 'tertulia.db is damaged: restore it from a backup'

/** The answer to a request that needs a damaged part. */
export function damageRefusal(): ChatError {
  return new ChatError('storage_unavailable', undefined, { retryAfterMs: RETRY_AFTER_MS })
}
