/**
 * Keeping: how the bytes of an upload become a file.
 *
 * What they are is found out from them, not taken from their sender. They get their name for good
 * by a rename, so that under it they are whole or not there.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import type { File } from '../../protocol/records.ts'
import { fileIdOf, fileUrl } from './file-address.ts'
import { type FileFolder, syncFolder } from './file-folder.ts'
import { inspect } from './inspect.ts'
import type { PartialFile } from './partial.ts'
import type { Pending } from './sidecar.ts'

/** Whether the bytes are those that were announced, as far as that was said. */
export function hashFits({ sha256 }: PartialFile, { announced }: Pending): boolean {
  return announced.sha256 === undefined || announced.sha256.toLowerCase() === sha256
}

/** What the upload is as a file; its id is made of `newId`. */
export async function describeFile(partial: PartialFile, pending: Pending, newId: string): Promise<File> {
  const { groupId, fileName, size, mimeType } = pending.announced
  const fileId = fileIdOf(groupId, newId)
  const found = await inspect(partial.handle, size, mimeType)
  return { fileId, url: fileUrl(fileId), fileName, size, sha256: partial.sha256, ...found }
}

/**
 * The bytes, which are fsynced, get their name for good, unless they have it already; the same
 * bytes replace each other. What was announced is not needed any more then.
 */
export async function nameContent(folder: FileFolder, uploadId: string, sha256: string): Promise<void> {
  const parent = folder.contentFolder(sha256)
  await mkdir(parent, { recursive: true })
  try {
    await rename(folder.ofUpload(uploadId, 'part'), folder.content(sha256))
  } catch (error) {
    // It has its name already: perhaps since a call that ended before the folders were synced.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await syncFolder(parent)
  await syncFolder(folder.path)
  await rm(folder.ofUpload(uploadId, 'json'), { force: true })
}
