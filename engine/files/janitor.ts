/**
 * Janitor: removes what nobody can have any more (PRV-3: unreferenced files, broken-off uploads).
 *
 * It lives on the thread of the one writer, between its transactions. Content goes when neither a
 * row nor an upload that was just kept has its hash: it is renamed out of the way first and looked
 * for again, so that a file which is kept at that very moment gets it back. What it takes in one
 * round is bounded; the rest waits for the next.
 */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileFolder, parsePartial } from './file-folder.ts'
import { readKept } from './sidecar.ts'

/** Between two rounds. */
const ROUND_MS = 600_000
/** Files of deleted messages are looked for so often. // PRV-3 */
const ERASE_MS = 20_000
/** A file without a message, and an upload without a chunk, are given up after so long. */
const UNUSED_MS = 86_400_000
/** For so long a repeated `upload_end` is given the same file. */
const KEPT_MS = 3_600_000
const ROWS_A_ROUND = 1_000

/** What it asks of the database: `sqlite/file-rows.ts`. */
export interface FileRowSource {
  giveUp(before: number, limit: number): void
  doomed(limit: number): readonly { readonly fileId: string; readonly sha256: string }[]
  isUsed(sha256: string): boolean
  forget(fileId: string): void
}

export interface JanitorOptions {
  readonly folder: FileFolder
  readonly rows: FileRowSource
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A row was removed from the database. */
  readonly onErased?: (() => void) | undefined
}

export class Janitor {
  readonly #options: JanitorOptions
  #timers: readonly NodeJS.Timeout[] = []
  #round: Promise<void> | null = null
  #closed = false

  constructor(options: JanitorOptions) {
    this.#options = options
  }

  /** Does a round now and then, until `close`. */
  start(): void {
    // Storage that takes no writes: nothing depends on it, the next round tries again.
    const round = () => this.round().catch(() => {})
    const erase = () => this.erase().catch(() => {})
    this.#timers = [setInterval(round, ROUND_MS).unref(), setInterval(erase, ERASE_MS).unref()]
  }

  /** A round, where files of deleted messages are still there. */
  async erase(): Promise<void> {
    if (!this.#closed && this.#options.rows.doomed(1).length > 0) await this.round()
  }

  /** One round; where one is under way, that one. */
  round(): Promise<void> {
    this.#round ??= this.#run().finally(() => {
      this.#round = null
    })
    return this.#round
  }

  /** Ends it; a round under way stops before it would ask the database again. */
  close(): void {
    this.#closed = true
    for (const timer of this.#timers) clearInterval(timer)
  }

  async #run(): Promise<void> {
    const { rows, now } = this.#options
    if (this.#closed) return
    const doomed = rows.doomed(ROWS_A_ROUND)
    const doomedIds = new Set(doomed.map(({ fileId }) => fileId))
    const seen: Seen = { uploadIds: new Set(), kept: new Set(), doomed: doomedIds }
    await this.#tidyUploads(seen)
    if (this.#closed) return
    for (const { fileId, sha256 } of doomed) {
      await this.#removeContent(sha256, seen)
      if (this.#closed) return
      rows.forget(fileId)
      this.#options.onErased?.()
    }
    // Last, so that these go in the next round: somebody may be posting one just now.
    rows.giveUp(now() - UNUSED_MS, ROWS_A_ROUND)
  }

  /** Removes old uploads, and sees which content was kept lately. */
  async #tidyUploads(seen: Seen): Promise<void> {
    const { folder } = this.#options
    const old: { readonly uploadId: string; readonly sha256: string | undefined }[] = []
    for (const name of await readdir(folder.partial)) {
      const parsed = parsePartial(name)
      if (this.#closed || !parsed) continue
      const { uploadId, kind } = parsed
      if (kind === 'kept') {
        const sha256 = await this.#see(uploadId, seen)
        if (sha256 !== null) old.push({ uploadId, sha256 })
      } else if (kind === 'part' || kind === 'json') {
        if (await this.#isAbandoned(uploadId, name)) await rm(join(folder.partial, name), { force: true })
      }
    }
    for (const { uploadId, sha256 } of old) {
      for (const kind of ['part', 'json', 'kept'] as const) {
        await rm(folder.ofUpload(uploadId, kind), { force: true })
      }
      // By now it has its row, or never became anybody's.
      if (sha256 !== undefined) await this.#removeContent(sha256, seen)
    }
  }

  /** Takes note of an upload that was kept lately: null. Of an old one, its hash if it can be read. */
  async #see(uploadId: string, seen: Seen): Promise<string | undefined | null> {
    const kept = await readKept(this.#options.folder, uploadId)
    // Nobody is given a file again that was deleted. // PRV-3
    if (!kept || seen.doomed.has(kept.file.fileId)) return kept?.file.sha256
    if (kept.keptAt + KEPT_MS < this.#options.now()) return kept.file.sha256
    seen.uploadIds.add(uploadId)
    seen.kept.add(kept.file.sha256)
    return null
  }

  /** The bytes say when it last went on; what was announced is as old as the upload. */
  async #isAbandoned(uploadId: string, name: string): Promise<boolean> {
    const { folder, now } = this.#options
    const old = now() - UNUSED_MS
    for (const path of [join(folder.partial, name), folder.ofUpload(uploadId, 'part')]) {
      const found = await stat(path).catch(() => null)
      if (found && found.mtimeMs >= old) return false
    }
    return true
  }

  async #removeContent(sha256: string, seen: Seen): Promise<void> {
    const { folder, rows } = this.#options
    if (this.#closed || seen.kept.has(sha256) || rows.isUsed(sha256)) return
    const path = folder.content(sha256)
    const aside = folder.aside(sha256)
    try {
      await rename(path, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    // Whoever keeps the same bytes says so before they get their name: now it is known.
    await this.#seeNew(seen)
    if (this.#closed || seen.kept.has(sha256) || rows.isUsed(sha256)) {
      await mkdir(folder.contentFolder(sha256), { recursive: true })
      await rename(aside, path)
    } else {
      await rm(aside, { force: true })
    }
  }

  async #seeNew(seen: Seen): Promise<void> {
    for (const name of await readdir(this.#options.folder.partial)) {
      const parsed = parsePartial(name)
      if (parsed?.kind === 'kept' && !seen.uploadIds.has(parsed.uploadId)) {
        await this.#see(parsed.uploadId, seen)
      }
    }
  }
}

/** What a round knows of the uploads that were kept lately. */
interface Seen {
  readonly uploadIds: Set<string>
  /** Hashes of their content. */
  readonly kept: Set<string>
  /** Ids of the files that go in this round. */
  readonly doomed: ReadonlySet<string>
}
