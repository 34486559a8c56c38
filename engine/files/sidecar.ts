/**
 * Sidecar: the metadata of an upload, in a small JSON file beside its bytes.
 *
 * `pending` exists from `upload_begin` on; `stored` is written before the bytes get their final name.
 * Content therefore always has a sidecar or a row, and a repeated `upload_end` returns the same file.
 * A sidecar is written to a new file and renamed, and validated when read: a damaged one counts as absent.
 */
import { createHash } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import * as v from 'valibot'
import type { File } from '../../protocol/records.ts'
import type { AnnouncedFile } from '../actors/file-calls.ts'
import type { FileFolder } from './file-folder.ts'

/** An unfinished upload. */
export interface Pending {
  readonly userId: string
  readonly announced: AnnouncedFile
  readonly createdAt: number
  /** The hash of the complete file, if the writer of the last bytes knows it. */
  readonly hashed?: string | undefined
}

/** An upload that was stored as a file. */
export interface Stored {
  readonly userId: string
  readonly groupId: string
  readonly file: File
  readonly storedAt: number
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const text = v.string()

const pendingSchema = v.object({
  userId: text,
  announced: v.object({
    groupId: text,
    fileName: text,
    size: count,
    mimeType: v.optional(text),
    sha256: v.optional(text),
  }),
  createdAt: count,
  hashed: v.optional(text),
})

const storedSchema = v.object({
  userId: text,
  groupId: text,
  file: v.object({
    fileId: text,
    url: text,
    fileName: text,
    mimeType: text,
    size: count,
    sha256: text,
    width: v.optional(count),
    height: v.optional(count),
    durationMs: v.optional(count),
  }),
  // The name in the files of existing data folders.
  keptAt: count,
})

/** Common prefix of the upload ids of one user, so that they can be found by name. */
export function uploadPrefix(userId: string): string {
  return `u${createHash('sha256').update(userId).digest('hex').slice(0, 20)}`
}

export async function readPending(folder: FileFolder, uploadId: string): Promise<Pending | null> {
  return await readJson(folder.ofUpload(uploadId, 'json'), pendingSchema)
}

export async function readStored(folder: FileFolder, uploadId: string): Promise<Stored | null> {
  const stored = await readJson(folder.ofUpload(uploadId, 'stored'), storedSchema)
  if (!stored) return null
  const { keptAt: storedAt, ...rest } = stored
  return { ...rest, storedAt }
}

export async function writePending(folder: FileFolder, uploadId: string, pending: Pending): Promise<void> {
  await writeJson(folder.ofUpload(uploadId, 'json'), pending)
}

export async function writeStored(folder: FileFolder, uploadId: string, stored: Stored): Promise<void> {
  const { storedAt: keptAt, ...rest } = stored
  await writeJson(folder.ofUpload(uploadId, 'stored'), { ...rest, keptAt })
}

async function readJson<T>(path: string, schema: v.GenericSchema<unknown, T>): Promise<T | null> {
  let json: string
  try {
    json = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const parsed = v.safeParse(schema, JSON.parse(json))
    return parsed.success ? parsed.output : null
  } catch {
    return null
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  const fresh = `${path}.new`
  try {
    await writeFile(fresh, JSON.stringify(value))
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}
