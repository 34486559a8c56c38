/**
 * A file store for tests: a real one in its own folder, with a manual clock.
 */
import { readdirSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import type { AnnouncedFile } from '../../engine/actors/file-calls.ts'
import { FileFolder, prepareFolder } from '../../engine/files/file-folder.ts'
import { FileStore } from '../../engine/files/file-store.ts'
import { temporaryFolder } from './engines.ts'

/** A store in a folder, as a process would start it, with short calls. */
export function aFileStore(dataDir = temporaryFolder(), quotaBytes = 0) {
  const folder = new FileFolder(dataDir)
  prepareFolder(folder)
  const clock = { nowMs: 1_000 }
  const store = new FileStore({
    dataDir,
    maxUploadBytes: 1_000_000,
    quotaBytes,
    clock: { now: () => clock.nowMs, steadyNow: () => clock.nowMs },
  })
  onTestFinished(() => store.close())
  let ids = 0
  const newId = () => `${String(Date.now())}${String(ids++).padStart(8, '0')}`
  return {
    store,
    dataDir,
    folder,
    clock,
    begin: (
      size: number,
      more: Partial<AnnouncedFile> & { uploadId?: string; userId?: string; storedBytes?: number } = {},
    ) => {
      const { uploadId, userId = 'ana', storedBytes = 0, ...rest } = more
      const announced = { groupId: 'g', fileName: 'a.bin', size, ...rest }
      return store.run({ call: 'begin', userId, announced, uploadId, storedBytes, newId: newId(), now: 5 })
    },
    append: (uploadId: string, offset: number, bytes: Uint8Array, userId = 'ana') =>
      store.run({ call: 'append', userId, uploadId, offset, bytes }),
    end: (uploadId: string, userId = 'ana') =>
      store.run({ call: 'end', userId, uploadId, newId: newId(), now: 5 }),
    keep: (bytes: Uint8Array, storedBytes = 0) => {
      const announced = { groupId: 'g', fileName: 'a.bin', size: bytes.length }
      return store.run({
        call: 'store',
        userId: 'ana',
        announced,
        bytes,
        storedBytes,
        newId: newId(),
        now: 5,
      })
    },
  }
}

/** The names of all files under `files/`. */
export function contents({ path }: FileFolder): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('/') && !name.startsWith('partial'))
    .sort()
}
