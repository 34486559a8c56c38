/**
 * File store: writes uploads to the disk and stores them under the hash of their bytes.
 *
 * A file is stored in steps, and a crash may happen between any two: the bytes are fsynced, the
 * sidecar describes the file, the bytes are renamed to their final name, the folder is fsynced. A
 * final name therefore never has incomplete content, and a repeated `end` continues where it stopped.
 * Bounded: uploads per user, open files (`OpenUploads`), waiting bytes.
 */
import { readdir, rm, writeFile } from 'node:fs/promises'
import { ChatError } from '../../protocol/errors.ts'
import type {
  AnnouncedFile,
  FileCall,
  FileCallName,
  FileCalls,
  FileDepths,
  Files,
  StoredUpload,
  UploadProgress,
} from '../actors/file-calls.ts'
import type { Clock } from '../base/clock.ts'
import { asRefusal } from './disk-refusal.ts'
import { FileFolder, isUploadId, parsePartial } from './file-folder.ts'
import { describeFile, hashFits, nameContent } from './keeping.ts'
import { Lanes } from './lanes.ts'
import { type OpenUpload, OpenUploads, pendingOf } from './open-uploads.ts'
import { lastWritten, noSuchUpload, receivedOf } from './partial.ts'
import {
  type Pending,
  readPending,
  readStored,
  type Stored,
  uploadPrefix,
  writePending,
  writeStored,
} from './sidecar.ts'
import { requireAllowedSize, requireRoom, type UploadLimits } from './upload-limits.ts'

/** Maximum unfinished uploads per user. */
const MAX_UPLOADS = 8
/** An upload without a chunk for this long may be replaced by a new one of its user. */
const STALE_MS = 600_000
/** Maximum bytes of chunks that wait to be written. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

export interface FileStoreOptions extends UploadLimits {
  readonly dataDir: string
  readonly clock: Clock
}

export class FileStore implements Files {
  readonly #options: FileStoreOptions
  readonly #folder: FileFolder
  readonly #lanes = new Lanes(MAX_WAITING_BYTES)
  readonly #open: OpenUploads

  constructor(options: FileStoreOptions) {
    this.#options = options
    this.#folder = new FileFolder(options.dataDir)
    this.#open = new OpenUploads(this.#folder, this.#lanes, options.clock)
  }

  get depths(): FileDepths {
    return { uploads: this.#open.size, uploadBytes: this.#lanes.bytes }
  }

  async run<N extends FileCallName>(call: FileCall<N>): Promise<FileCalls[N]['result']> {
    try {
      return (await this.#run(call as unknown as FileCall)) as FileCalls[N]['result']
    } catch (error) {
      throw asRefusal(error)
    }
  }

  sweep(): void {
    this.#open.sweep()
  }

  async close(): Promise<void> {
    await this.#lanes.settled()
    await this.#open.closeAll()
  }

  #run(call: FileCall): Promise<UploadProgress | StoredUpload> {
    switch (call.call) {
      case 'begin': {
        const { uploadId } = call
        requireAllowedSize(call.announced, this.#options)
        if (uploadId === undefined) return this.#inLaneOfUser(call.userId, () => this.#begin(call))
        return this.#inLane(uploadId, 0, () => this.#resume(call, uploadId))
      }
      case 'append': {
        // The chunk is a view into the received batch.
        const bytes = new Uint8Array(call.bytes)
        return this.#inLane(call.uploadId, bytes.length, () => this.#append(call, bytes))
      }
      case 'end':
        return this.#inLane(call.uploadId, 0, () => this.#end(call))
      case 'store': {
        requireAllowedSize(call.announced, this.#options)
        const bytes = new Uint8Array(call.bytes)
        // Unfinished uploads are not read for each small file: they are counted when they end.
        requireRoom(call.announced.size + call.storedBytes, this.#options)
        const uploadId = uploadPrefix(call.userId) + call.newId
        return this.#inLane(uploadId, bytes.length, () => this.#storeWhole(call, uploadId, bytes))
      }
    }
  }

  #inLane<T>(uploadId: string, bytes: number, task: () => Promise<T>): Promise<T> {
    if (!isUploadId(uploadId)) return Promise.reject(noSuchUpload())
    return this.#lanes.run(uploadId, bytes, task)
  }

  /** One after the other, so that their number is counted correctly. */
  #inLaneOfUser<T>(userId: string, task: () => Promise<T>): Promise<T> {
    return this.#lanes.run(uploadPrefix(userId), 0, task)
  }

  async #begin({ userId, announced, storedBytes, newId, now }: FileCall<'begin'>): Promise<UploadProgress> {
    const prefix = uploadPrefix(userId)
    const names = await readdir(this.#folder.partial)
    const own = names.flatMap((name) => {
      const parsed = name.startsWith(prefix) ? parsePartial(name) : null
      return parsed?.kind === 'json' ? [parsed.uploadId] : []
    })
    if (own.length >= MAX_UPLOADS && !(await this.#dropStale(own))) {
      throw new ChatError('limit_reached', `${MAX_UPLOADS} uploads at once; end or go on with one of them`)
    }
    await this.#requireQuota(announced, storedBytes, own)
    const uploadId = prefix + newId
    await this.#make(uploadId, { userId, announced, createdAt: now })
    return { uploadId, received: 0, size: announced.size }
  }

  /** Drops the upload that has been idle the longest, if that exceeds `STALE_MS`; true if it did. */
  async #dropStale(uploadIds: readonly string[]): Promise<boolean> {
    let oldest: { readonly uploadId: string; readonly at: number } | null = null
    for (const uploadId of uploadIds) {
      if (this.#open.has(uploadId) || this.#lanes.busy(uploadId)) continue
      const at = await lastWritten(this.#folder, uploadId)
      if (oldest === null || at < oldest.at) oldest = { uploadId, at }
    }
    if (oldest === null || oldest.at + STALE_MS > this.#options.clock.now()) return false
    await this.#drop(oldest.uploadId)
    return true
  }

  async #make(uploadId: string, pending: Pending): Promise<void> {
    await writeFile(this.#folder.ofUpload(uploadId, 'part'), '', { flag: 'wx' })
    await writePending(this.#folder, uploadId, pending)
  }

  async #resume(call: FileCall<'begin'>, uploadId: string): Promise<UploadProgress> {
    const { groupId, size } = call.announced
    const stored = await this.#storedBy(call.userId, uploadId)
    if (stored) return { uploadId, received: stored.file.size, size: stored.file.size }
    // The upload may continue on another thread: release the file.
    await this.#open.close(uploadId)
    const { announced } = await pendingOf(this.#folder, call.userId, uploadId)
    if (announced.groupId !== groupId) throw differs('groupId')
    if (announced.size !== size) throw differs('fileSize')
    return { uploadId, received: await receivedOf(this.#folder, uploadId, size), size }
  }

  async #append(
    { userId, uploadId, offset }: FileCall<'append'>,
    bytes: Uint8Array,
  ): Promise<UploadProgress> {
    const stored = this.#open.has(uploadId) ? null : await this.#storedBy(userId, uploadId)
    if (stored) return { uploadId, received: stored.file.size, size: stored.file.size }
    const { partial, pending } = await this.#open.get(userId, uploadId)
    const { size } = pending.announced
    if (offset > partial.received) {
      throw new ChatError('bad_request', `offset must be at most ${partial.received}: a chunk is missing`, {
        field: 'offset',
      })
    }
    if (offset + bytes.length > size) {
      throw new ChatError('bad_request', `chunk must end within the ${size} bytes announced`, {
        field: 'chunk',
      })
    }
    // Of a repeated chunk, write only the part that is missing.
    if (offset + bytes.length > partial.received)
      await partial.write(bytes.subarray(partial.received - offset))
    return { uploadId, received: partial.received, size }
  }

  async #end({ userId, uploadId, newId, now }: FileCall<'end'>): Promise<StoredUpload> {
    const before = await this.#storedBy(userId, uploadId)
    if (before) {
      await nameContent(this.#folder, uploadId, before.file.sha256)
      return { groupId: before.groupId, file: before.file, again: true }
    }
    const opened = await this.#open.get(userId, uploadId)
    const { received } = opened.partial
    const { size } = opened.pending.announced
    if (received < size) throw new ChatError('bad_file', `${received} of ${size} bytes were received`)
    return await this.#store(uploadId, opened, newId, now)
  }

  async #storeWhole(call: FileCall<'store'>, uploadId: string, bytes: Uint8Array): Promise<StoredUpload> {
    const { userId, announced, newId, now } = call
    await this.#make(uploadId, { userId, announced, createdAt: now })
    try {
      const opened = await this.#open.get(userId, uploadId)
      await opened.partial.write(bytes)
      return await this.#store(uploadId, opened, newId, now)
    } catch (error) {
      // No client knows its id: it could not be resumed.
      await this.#drop(uploadId)
      throw error
    }
  }

  /** All bytes were received: inspects them and stores them as a file. */
  async #store(
    uploadId: string,
    { partial, pending }: OpenUpload,
    newId: string,
    now: number,
  ): Promise<StoredUpload> {
    if (!hashFits(partial, pending)) {
      await this.#drop(uploadId)
      throw new ChatError('bad_file', 'the bytes have another sha256; upload the file again', {
        field: 'sha256',
      })
    }
    const file = await describeFile(partial, pending, newId)
    const { userId, announced } = pending
    const { groupId } = announced
    await partial.handle.sync()
    await writeStored(this.#folder, uploadId, { userId, groupId, file, storedAt: now })
    await this.#open.close(uploadId)
    await nameContent(this.#folder, uploadId, file.sha256)
    return { groupId, file, again: false }
  }

  async #storedBy(userId: string, uploadId: string): Promise<Stored | null> {
    const stored = await readStored(this.#folder, uploadId)
    if (stored && stored.userId !== userId) throw noSuchUpload()
    return stored
  }

  async #drop(uploadId: string): Promise<void> {
    await this.#open.close(uploadId)
    for (const kind of ['part', 'json', 'stored'] as const) {
      await rm(this.#folder.ofUpload(uploadId, kind), { force: true })
    }
  }

  /** Unfinished uploads count with their announced size. */
  async #requireQuota({ size }: AnnouncedFile, storedBytes: number, own: readonly string[]): Promise<void> {
    let wanted = storedBytes + size
    for (const uploadId of own) {
      const pending = await readPending(this.#folder, uploadId)
      wanted += pending?.announced.size ?? 0
    }
    requireRoom(wanted, this.#options)
  }
}

function differs(field: string): ChatError {
  return new ChatError('bad_request', `${field} differs from the value that the upload began with`, { field })
}
