/**
 * Janitor: removes unreferenced files and abandoned uploads (PRV-3).
 *
 * It runs on the writer thread, between transactions. A file is removed in the round after the one that
 * found it: a message or an upload that was accepted before its last message was deleted is committed by
 * then, and the file is in use again. Content is deleted when neither a row nor a recently stored upload
 * has its hash. It is first renamed aside and then checked again, so that it is restored if an upload with
 * the same content is stored at that moment. The rows of one round are limited; the rest waits for the
 * next round.
 */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileFolder, parsePartial } from './file-folder.ts'
import { readStored } from './sidecar.ts'

/** Interval between two checks for files of deleted messages: these are removed in the second one. // PRV-3 */
const ERASE_MS = 10_000
/** Every so many checks a round runs in any case: every ten minutes. */
const CHECKS_A_ROUND = 60
/** A file without a message, or an upload without a chunk, is abandoned after this long. */
const UNUSED_MS = 86_400_000
/** During this time a repeated `upload_end` returns the same file. */
const RETAINED_MS = 3_600_000
const ROWS_A_ROUND = 1_000

/** The database operations that it needs: `sqlite/file-rows.ts`. */
export interface FileRowSource {
  giveUp(before: number, limit: number): void
  doomed(limit: number): readonly { readonly fileId: string; readonly sha256: string }[]
  isUsed(sha256: string, exceptFileId?: string): boolean
  forget(fileId: string): void
}

export interface JanitorOptions {
  readonly folder: FileFolder
  readonly rows: FileRowSource
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Whether commits fail: entries wait that may use a file again. */
  readonly isFailing: () => boolean
  /** A row was removed from the database. */
  readonly onErased?: (() => void) | undefined
}

export class Janitor {
  readonly #options: JanitorOptions
  #timer: NodeJS.Timeout | undefined
  #checks = 0
  /** Ids of the marked files that the last round or check found; at most `ROWS_A_ROUND`. */
  #found: ReadonlySet<string> = new Set()
  #round: Promise<void> | null = null
  #closed = false

  constructor(options: JanitorOptions) {
    this.#options = options
  }

  /** Runs rounds periodically until `close`. */
  start(): void {
    // Storage does not accept writes: the next check tries again.
    const check = () => this.#check().catch(() => {})
    this.#timer = setInterval(check, ERASE_MS).unref()
  }

  /** Runs one round; returns the current one if it is still running. */
  round(): Promise<void> {
    this.#round ??= this.#run(this.#found).finally(() => {
      this.#round = null
    })
    return this.#round
  }

  /** Removes the files of deleted messages at once, before `close`: no message follows. At most one round. // PRV-3 */
  async finish(): Promise<void> {
    clearInterval(this.#timer)
    await this.#round?.catch(() => {})
    const doomed = this.#options.rows.doomed(ROWS_A_ROUND)
    if (doomed.length > 0) await this.#run(idsOf(doomed))
  }

  /** Stops it; a running round ends before its next database access. */
  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
  }

  /** Runs a round if it is time, or if there are files of deleted messages. */
  async #check(): Promise<void> {
    const { rows, isFailing } = this.#options
    this.#checks += 1
    if (this.#closed || this.#round !== null) return
    const isDue = this.#checks >= CHECKS_A_ROUND || rows.doomed(1).length > 0
    if (isDue && !isFailing()) await this.round()
    else this.#found = new Set()
  }

  async #run(found: ReadonlySet<string>): Promise<void> {
    const { rows, now } = this.#options
    if (this.#closed) return
    this.#checks = 0
    const doomed = rows.doomed(ROWS_A_ROUND)
    const seen: Seen = { uploadIds: new Set(), stored: new Set(), doomed: idsOf(doomed) }
    this.#found = seen.doomed
    await this.#tidyUploads(seen)
    for (const { fileId, sha256 } of doomed.filter((one) => found.has(one.fileId))) {
      await this.#removeContent(sha256, seen, fileId)
      if (this.#closed) return
      rows.forget(fileId)
      this.#options.onErased?.()
    }
    if (this.#closed) return
    // Last, so that the next round finds these: a message may be about to use one.
    rows.giveUp(now() - UNUSED_MS, ROWS_A_ROUND)
  }

  /** Removes old uploads, and collects which content was stored recently. */
  async #tidyUploads(seen: Seen): Promise<void> {
    const { folder } = this.#options
    const old: { readonly uploadId: string; readonly sha256: string | undefined }[] = []
    for (const name of await readdir(folder.partial)) {
      const parsed = parsePartial(name)
      if (this.#closed || !parsed) continue
      const { uploadId, kind } = parsed
      if (kind === 'stored') {
        const sha256 = await this.#see(uploadId, seen)
        if (sha256 !== null) old.push({ uploadId, sha256 })
      } else if (kind === 'part' || kind === 'json') {
        if (await this.#isAbandoned(uploadId, name)) await rm(join(folder.partial, name), { force: true })
      }
    }
    for (const { uploadId, sha256 } of old) {
      for (const kind of ['part', 'json', 'stored'] as const) {
        await rm(folder.ofUpload(uploadId, kind), { force: true })
      }
      // By now it has a row, or was never used.
      if (sha256 !== undefined) await this.#removeContent(sha256, seen)
    }
  }

  /** Records a recently stored upload and returns null; for an old one returns its hash, if readable. */
  async #see(uploadId: string, seen: Seen): Promise<string | undefined | null> {
    const stored = await readStored(this.#options.folder, uploadId)
    // A deleted file is not returned again. // PRV-3
    if (!stored || seen.doomed.has(stored.file.fileId)) return stored?.file.sha256
    if (stored.storedAt + RETAINED_MS < this.#options.now()) return stored.file.sha256
    seen.uploadIds.add(uploadId)
    seen.stored.add(stored.file.sha256)
    return null
  }

  /** The modification time of the bytes counts; the announcement is as old as the upload. */
  async #isAbandoned(uploadId: string, name: string): Promise<boolean> {
    const { folder, now } = this.#options
    const old = now() - UNUSED_MS
    for (const path of [join(folder.partial, name), folder.ofUpload(uploadId, 'part')]) {
      const found = await stat(path).catch(() => null)
      if (found && found.mtimeMs >= old) return false
    }
    return true
  }

  /** Removes bytes that nothing needs besides this file, which is removed. */
  async #removeContent(sha256: string, seen: Seen, fileId?: string): Promise<void> {
    const { folder, rows } = this.#options
    const isNeeded = () => this.#closed || seen.stored.has(sha256) || rows.isUsed(sha256, fileId)
    if (isNeeded()) return
    const path = folder.content(sha256)
    const aside = folder.aside(sha256)
    try {
      await rename(path, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    // A store writes its sidecar before it renames the bytes: read the new sidecars now.
    await this.#seeNew(seen)
    if (isNeeded()) {
      await mkdir(folder.contentFolder(sha256), { recursive: true })
      await rename(aside, path)
    } else {
      await rm(aside, { force: true })
    }
  }

  async #seeNew(seen: Seen): Promise<void> {
    for (const name of await readdir(this.#options.folder.partial)) {
      const parsed = parsePartial(name)
      if (parsed?.kind === 'stored' && !seen.uploadIds.has(parsed.uploadId)) {
        await this.#see(parsed.uploadId, seen)
      }
    }
  }
}

function idsOf(files: readonly { readonly fileId: string }[]): ReadonlySet<string> {
  return new Set(files.map(({ fileId }) => fileId))
}

/** Recently stored uploads, as collected by one round. */
interface Seen {
  readonly uploadIds: Set<string>
  /** Hashes of their content. */
  readonly stored: Set<string>
  /** Ids of the marked files. */
  readonly doomed: ReadonlySet<string>
}
