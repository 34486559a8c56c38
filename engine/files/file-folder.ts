/**
 * File folder: where the bytes of files lie, and under which names.
 *
 * `files/ab/abcdef…` is a file's content, named by its sha256; it is there whole or not at all.
 * `files/partial/` holds what is on its way: `<uploadId>.part` the bytes, `.json` what was
 * announced, `.kept` what became of it, `.lock` that somebody writes it. Every name is made here,
 * from an id that this server made or a hash, checked by its pattern: no path comes from outside.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

const SHA256 = /^[0-9a-f]{64}$/
const UPLOAD_ID = /^u[0-9a-f]{20}[0-9a-z]{8,40}$/

/** What lies beside the bytes of an upload. */
export type PartialKind = 'part' | 'json' | 'kept' | 'lock'

export class FileFolder {
  readonly path: string
  readonly partial: string

  constructor(dataDir: string) {
    this.path = join(dataDir, 'files')
    this.partial = join(this.path, 'partial')
  }

  /** The content with this hash. @throws Error for what is no hash. */
  content(sha256: string): string {
    if (!SHA256.test(sha256)) throw new Error('not a sha256')
    return join(this.path, sha256.slice(0, 2), sha256)
  }

  /** The folder that the content lies in. */
  contentFolder(sha256: string): string {
    return join(this.path, sha256.slice(0, 2))
  }

  /** Where content lies while it is decided whether it goes. */
  aside(sha256: string): string {
    return join(this.partial, `${sha256}.old`)
  }

  /** What lies there of an upload. @throws Error for what is no upload's id. */
  ofUpload(uploadId: string, kind: PartialKind): string {
    if (!isUploadId(uploadId)) throw new Error('not an upload id')
    return join(this.partial, `${uploadId}.${kind}`)
  }
}

/** Whether it looks like an id that `toUploadId` made. */
export function isUploadId(id: string): boolean {
  return UPLOAD_ID.test(id)
}

/** The id that a name in `partial/` begins with and what follows, or null for other names. */
export function parsePartial(name: string): { readonly uploadId: string; readonly kind: string } | null {
  const dot = name.indexOf('.')
  const uploadId = name.slice(0, dot)
  return dot > 0 && isUploadId(uploadId) ? { uploadId, kind: name.slice(dot + 1) } : null
}

/**
 * Makes the folders and cleans up behind a process that died: its locks go, what lay aside is put
 * back. Only before anybody uploads.
 */
export function prepareFolder(folder: FileFolder): void {
  mkdirSync(folder.partial, { recursive: true })
  for (const name of readdirSync(folder.partial)) {
    const path = join(folder.partial, name)
    if (name.endsWith('.lock') || name.endsWith('.new')) rmSync(path, { force: true })
    else if (name.endsWith('.old')) renameSync(path, folder.content(name.slice(0, -'.old'.length)))
  }
}

/** Whether the content of any file is there. */
export function hasContent(folder: FileFolder): boolean {
  if (!existsSync(folder.path)) return false
  const prefixes = readdirSync(folder.path).filter((name) => /^[0-9a-f]{2}$/.test(name))
  return prefixes.some((prefix) => readdirSync(join(folder.path, prefix)).some((name) => SHA256.test(name)))
}

/** Makes what was renamed into a folder survive a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
