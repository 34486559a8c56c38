/**
 * File folder: the locations and names of files on disk.
 *
 * `files/ab/abcdef…` is a file's content, named by its sha256; it is complete or absent.
 * `files/partial/` contains uploads: `<uploadId>.part` the bytes, `.json` what was announced, `.kept`
 * the stored file. `.lock` exists while a process writes the upload. All names are built here from an
 * id that this server assigned or from a hash, and are checked against a pattern: no path comes from a
 * client.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

const SHA256 = /^[0-9a-f]{64}$/
const UPLOAD_ID = /^u[0-9a-f]{20}[0-9a-z]{8,40}$/

/** The kinds of files of an upload. */
export type PartialKind = keyof typeof suffixes

/** The end of the name of each kind. Data folders contain them, so they do not change. */
const suffixes = { part: 'part', json: 'json', stored: 'kept', lock: 'lock' } as const

export class FileFolder {
  readonly path: string
  readonly partial: string

  constructor(dataDir: string) {
    this.path = join(dataDir, 'files')
    this.partial = join(this.path, 'partial')
  }

  /** Path of the content with this hash. @throws Error if it is not a sha256. */
  content(sha256: string): string {
    if (!SHA256.test(sha256)) throw new Error('not a sha256')
    return join(this.path, sha256.slice(0, 2), sha256)
  }

  /** The folder that contains the content. */
  contentFolder(sha256: string): string {
    return join(this.path, sha256.slice(0, 2))
  }

  /** Path of content while the janitor decides whether to delete it. */
  aside(sha256: string): string {
    return join(this.partial, `${sha256}.old`)
  }

  /** Path of a file of an upload. @throws Error if it is not an upload id. */
  ofUpload(uploadId: string, kind: PartialKind): string {
    if (!isUploadId(uploadId)) throw new Error('not an upload id')
    return join(this.partial, `${uploadId}.${suffixes[kind]}`)
  }
}

/** Whether it has the form of an upload id. */
export function isUploadId(id: string): boolean {
  return UPLOAD_ID.test(id)
}

/** Splits a name in `partial/` into the upload id and the kind; null for other names. */
export function parsePartial(name: string): { readonly uploadId: string; readonly kind: PartialKind } | null {
  const dot = name.indexOf('.')
  const uploadId = name.slice(0, dot)
  const suffix = name.slice(dot + 1)
  const kind = (Object.keys(suffixes) as PartialKind[]).find((known) => suffixes[known] === suffix)
  return dot > 0 && kind !== undefined && isUploadId(uploadId) ? { uploadId, kind } : null
}

/**
 * Creates the folders and cleans up after a crashed process: removes its locks and restores content
 * that was renamed aside. Call it only before any upload.
 */
export function prepareFolder(folder: FileFolder): void {
  mkdirSync(folder.partial, { recursive: true })
  for (const name of readdirSync(folder.partial)) {
    const path = join(folder.partial, name)
    if (name.endsWith('.lock') || name.endsWith('.new')) rmSync(path, { force: true })
    else if (name.endsWith('.old')) renameSync(path, folder.content(name.slice(0, -'.old'.length)))
  }
}

/** Whether the content of at least one file is stored. */
export function hasContent(folder: FileFolder): boolean {
  if (!existsSync(folder.path)) return false
  const prefixes = readdirSync(folder.path).filter((name) => /^[0-9a-f]{2}$/.test(name))
  return prefixes.some((prefix) => readdirSync(join(folder.path, prefix)).some((name) => SHA256.test(name)))
}

/** Makes renames into a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
