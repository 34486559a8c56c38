/**
 * Disk refusal: the error that a caller gets when the disk does not accept more bytes.
 */
import { ChatError } from '../../protocol/errors.ts'
import { storageUnavailable } from '../base/refusals.ts'

/** No space, file size limit, read-only file system, I/O error, too many open files. */
const refusals: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']

/** Returns the error unchanged, or `storage_unavailable` for a write that the disk refused. */
export function asRefusal(error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException
  if (error instanceof ChatError || !refusals.includes(code)) return error
  return storageUnavailable()
}
