/**
 * Upload limits: the size of a file, and what the files of one user may need.
 */
import { ChatError } from '../../protocol/errors.ts'
import type { AnnouncedFile } from '../actors/file-calls.ts'

export interface UploadLimits {
  /** Maximum size of a file, bytes. */
  readonly maxUploadBytes: number
  /** Maximum bytes of the files of one user, including unfinished uploads; 0 is no limit. */
  readonly quotaBytes: number
}

/** @throws ChatError `too_large` */
export function requireAllowedSize({ size }: AnnouncedFile, { maxUploadBytes }: UploadLimits): void {
  if (size <= maxUploadBytes) return
  throw new ChatError('too_large', `a file must be at most ${maxUploadBytes} bytes`, { field: 'fileSize' })
}

/** Whether the files of a user may have `wanted` bytes. @throws ChatError `quota_exceeded` */
export function requireRoom(wanted: number, { quotaBytes }: UploadLimits): void {
  if (quotaBytes === 0 || wanted <= quotaBytes) return
  const message = `the files of one user are limited to ${quotaBytes} bytes; delete some first`
  throw new ChatError('quota_exceeded', message)
}
