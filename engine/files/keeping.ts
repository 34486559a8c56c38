/**
 * Keeping: turns the bytes of an upload into a file.
 *
 * The properties of the file are read from its bytes, not from the sender. The bytes get their final
 * name by a rename, so that under this name they are complete or absent.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import type { File } from '../../protocol/records.ts'
import { fileIdOf, fileUrl } from '../stored/file-address.ts'
import { type FileFolder, syncFolder } from './file-folder.ts'
import { inspect } from './inspect.ts'
import type { PartialFile } from './partial.ts'
import type { Pending } from './sidecar.ts'

/** Whether the bytes have the announced hash; true if no hash was announced. */
export function hashFits({ sha256 }: PartialFile, { announced }: Pending): boolean {
  return announced.sha256 === undefined || announced.sha256.toLowerCase() === sha256
}

/** Describes the upload as a file; the file id is derived from `newId`. */
export async function describeFile(partial: PartialFile, pending: Pending, newId: string): Promise<File> {
  const { groupId, fileName, size, mimeType } = pending.announced
  const fileId = fileIdOf(groupId, newId)
  const found = await inspect(partial.handle, size, mimeType)
  return { fileId, url: fileUrl(fileId), fileName, size, sha256: partial.sha256, ...found }
}

/**
 * Renames the bytes, which are already fsynced, to their final name, unless that was done before.
 * Identical content replaces itself. The announcement is removed afterwards.
 */
export async function nameContent(folder: FileFolder, uploadId: string, sha256: string): Promise<void> {
  const parent = folder.contentFolder(sha256)
  await mkdir(parent, { recursive: true })
  try {
    await rename(folder.ofUpload(uploadId, 'part'), folder.content(sha256))
  } catch (error) {
    // Already renamed, possibly by a call that ended before the folders were synced.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await syncFolder(parent)
  await syncFolder(folder.path)
  await rm(folder.ofUpload(uploadId, 'json'), { force: true })
}
