/**
 * Disk refusal: what a caller is told where the disk takes no more bytes.
 */
import { ChatError } from '../../protocol/errors.ts'

const RETRY_AFTER_MS = 1_000
/** No room, a limit for the size of files, no right to write, a broken disk, too many open files. */
const refusals: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']

/** The error as it is, or `storage_unavailable` for what the disk refused. */
export function asRefusal(error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException
  if (error instanceof ChatError || !refusals.includes(code)) return error
  return new ChatError('storage_unavailable', undefined, { retryAfterMs: RETRY_AFTER_MS })
}
