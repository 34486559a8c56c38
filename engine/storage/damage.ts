/**
 * Damage: whether an error of SQLite says that its file is damaged. It does not pass by itself.
 */
import { ChatError } from '../../protocol/errors.ts'

const RETRY_AFTER_MS = 30_000

export function isDamage(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB)/.test(code)
}

/** Why an engine whose database is damaged is not ready. */
export const DAMAGED = 'tertulia.db is damaged: restore it from a backup'

/** What is answered where a damaged part would have to be read. */
export function damageRefusal(): ChatError {
  return new ChatError('storage_unavailable', undefined, { retryAfterMs: RETRY_AFTER_MS })
}
