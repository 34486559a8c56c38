/**
 * Sidecar: what is known of an upload besides its bytes, as a small JSON file beside them.
 *
 * `pending` from `upload_begin` on, `kept` from the moment before its bytes get their name for
 * good: so there is no content without either a sidecar or a row, and a repeated `upload_end` is
 * given the same file. Written whole and renamed, read with a schema: a damaged one is none.
 */
import { createHash } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import * as v from 'valibot'
import type { File } from '../../protocol/records.ts'
import type { AnnouncedFile } from './file-calls.ts'
import type { FileFolder } from './file-folder.ts'

/** An upload on its way. */
export interface Pending {
  readonly userId: string
  readonly announced: AnnouncedFile
  readonly createdAt: number
  /** The hash of all bytes, where who wrote the last of them knows it. */
  readonly hashed?: string | undefined
}

/** An upload that has become a file. */
export interface Kept {
  readonly userId: string
  readonly groupId: string
  readonly file: File
  readonly keptAt: number
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

const keptSchema = v.object({
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
  keptAt: count,
})

/** All uploads of one user begin with the same characters, so that they are found by their names. */
export function uploadPrefix(userId: string): string {
  return `u${createHash('sha256').update(userId).digest('hex').slice(0, 20)}`
}

export async function readPending(folder: FileFolder, uploadId: string): Promise<Pending | null> {
  return await readJson(folder.ofUpload(uploadId, 'json'), pendingSchema)
}

export async function readKept(folder: FileFolder, uploadId: string): Promise<Kept | null> {
  return await readJson(folder.ofUpload(uploadId, 'kept'), keptSchema)
}

export async function writePending(folder: FileFolder, uploadId: string, pending: Pending): Promise<void> {
  await writeJson(folder.ofUpload(uploadId, 'json'), pending)
}

export async function writeKept(folder: FileFolder, uploadId: string, kept: Kept): Promise<void> {
  await writeJson(folder.ofUpload(uploadId, 'kept'), kept)
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
    const judged = v.safeParse(schema, JSON.parse(json))
    return judged.success ? judged.output : null
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
