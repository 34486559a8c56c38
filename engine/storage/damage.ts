/**
 * Damage: whether an error of SQLite says that its file is damaged. It does not pass by itself.
 */
export function isDamage(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB)/.test(code)
}

/** Why an engine whose database is damaged is not ready. */
export const DAMAGED = 'tertulia.db is damaged: restore it from a backup'
