import { existsSync, fstatSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { aFileStore } from '../../support/file-store.ts'

const probe = await open(import.meta.filename, 'r')
const prototype = Object.getPrototypeOf(probe) as FileHandle
await probe.close()

afterEach(() => {
  vi.restoreAllMocks()
})

/** Calls `onSync` with the inode of each file and folder before it is fsynced. */
function watchSyncs(onSync: (inode: number) => void): void {
  const sync = prototype.sync
  vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    onSync(fstatSync(this.fd).ino)
    await sync.call(this)
  })
}

const inodeOf = (path: string) => statSync(path).ino

// DUR-1
it('syncs the bytes before they get their final name, and both folders before it answers', async () => {
  const files = aFileStore()
  const { uploadId } = await files.begin(2)
  await files.append(uploadId, 0, Buffer.from('ab'))
  const partInode = inodeOf(files.folder.ofUpload(uploadId, 'part'))
  const synced: number[] = []
  let syncedUnderItsName = false
  watchSyncs((inode) => {
    synced.push(inode)
    if (inode === partInode) syncedUnderItsName = !existsSync(files.folder.ofUpload(uploadId, 'part'))
  })
  const { file } = await files.end(uploadId)
  const content = files.folder.content(file.sha256)
  expect(inodeOf(content)).toBe(partInode)
  expect(synced).toContain(partInode)
  expect(syncedUnderItsName).toBe(false)
  expect(synced).toContain(inodeOf(dirname(content)))
  expect(synced).toContain(inodeOf(files.folder.path))
})

// DUR-1
it('syncs the folders when the end is repeated after a failure between rename and sync', async () => {
  const files = aFileStore()
  const { uploadId } = await files.begin(2)
  await files.append(uploadId, 0, Buffer.from('ab'))
  const partInode = inodeOf(files.folder.ofUpload(uploadId, 'part'))
  let failing = true
  const synced: number[] = []
  watchSyncs((inode) => {
    synced.push(inode)
    // The folder of the content is the first to be synced after the rename.
    const named = !existsSync(files.folder.ofUpload(uploadId, 'part')) && inode !== partInode
    if (failing && named) throw new Error('EIO')
  })
  await expect(files.end(uploadId)).rejects.toThrow()
  failing = false
  synced.length = 0
  const { file, again } = await files.end(uploadId)
  expect(again).toBe(true)
  expect(synced).toContain(inodeOf(files.folder.contentFolder(file.sha256)))
  expect(synced).toContain(inodeOf(files.folder.path))
})
