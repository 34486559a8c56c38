/**
 * File store: writes uploads to the disk and stores them under the hash of their bytes.
 *
 * A file is stored in steps, and a crash may happen between any two: the bytes are fsynced, the
 * sidecar describes the file, the bytes are renamed to their final name, the folder is fsynced. A
 * final name therefore never has incomplete content, and a repeated `end` continues where it stopped.
 * Bounded: uploads per user, open files (the least recently used is closed), waiting bytes.
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
import { lastWritten, noSuchUpload, PartialFile, receivedOf } from './partial.ts'
import {
  type Pending,
  readPending,
  readStored,
  type Stored,
  uploadPrefix,
  writePending,
  writeStored,
} from './sidecar.ts'

/** Maximum unfinished uploads per user. */
const MAX_UPLOADS = 8
/** Maximum open uploads; others are closed, and reopened when their next chunk arrives. */
const MAX_OPEN = 256
/** An upload without a chunk for this long may be replaced by a new one of its user. */
const STALE_MS = 600_000
/** An upload without a chunk for this long is closed; it can be resumed. */
const IDLE_MS = 60_000
/** Maximum bytes of chunks that wait to be written. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024
const RETRY_AFTER_MS = 1_000

export interface FileStoreOptions {
  readonly dataDir: string
  /** Maximum size of a file, bytes. */
  readonly maxUploadBytes: number
  /** Maximum bytes of the files of one user, including unfinished uploads; 0 is no limit. */
  readonly quotaBytes: number
  readonly clock: Clock
}

interface OpenUpload {
  readonly partial: PartialFile
  readonly pending: Pending
  usedAt: number
}

export class FileStore implements Files {
  readonly #options: FileStoreOptions
  readonly #folder: FileFolder
  readonly #lanes = new Lanes(MAX_WAITING_BYTES)
  /** Uploads with an open file, the most recently used last. */
  readonly #open = new Map<string, OpenUpload>()

  constructor(options: FileStoreOptions) {
    this.#options = options
    this.#folder = new FileFolder(options.dataDir)
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
    const usedBefore = this.#options.clock.steadyNow() - IDLE_MS
    for (const [uploadId, { usedAt }] of this.#open) {
      if (usedAt <= usedBefore && !this.#lanes.busy(uploadId)) this.#closeLater(uploadId)
    }
  }

  async close(): Promise<void> {
    await this.#lanes.settled()
    for (const uploadId of [...this.#open.keys()]) await this.#closeUpload(uploadId)
  }

  #run(call: FileCall): Promise<UploadProgress | StoredUpload> {
    switch (call.call) {
      case 'begin': {
        const { uploadId } = call
        this.#requireAllowedSize(call.announced)
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
        this.#requireAllowedSize(call.announced)
        const bytes = new Uint8Array(call.bytes)
        // Unfinished uploads are not read for each small file: they are counted when they end.
        this.#requireRoom(call.announced.size + call.storedBytes)
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
    await this.#closeUpload(uploadId)
    const { announced } = await this.#pendingOf(call.userId, uploadId)
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
    const { partial, pending } = await this.#opened(userId, uploadId)
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
    const opened = await this.#opened(userId, uploadId)
    const { received } = opened.partial
    const { size } = opened.pending.announced
    if (received < size) throw new ChatError('bad_file', `${received} of ${size} bytes were received`)
    return await this.#store(uploadId, opened, newId, now)
  }

  async #storeWhole(call: FileCall<'store'>, uploadId: string, bytes: Uint8Array): Promise<StoredUpload> {
    const { userId, announced, newId, now } = call
    await this.#make(uploadId, { userId, announced, createdAt: now })
    try {
      const opened = await this.#opened(userId, uploadId)
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
    await this.#closeUpload(uploadId)
    await nameContent(this.#folder, uploadId, file.sha256)
    return { groupId, file, again: false }
  }

  /** The upload with its file open. @throws ChatError `not_found` if it is not the user's. */
  async #opened(userId: string, uploadId: string): Promise<OpenUpload> {
    const known = this.#open.get(uploadId)
    if (known) {
      if (known.pending.userId !== userId) throw noSuchUpload()
      known.usedAt = this.#options.clock.steadyNow()
      this.#open.delete(uploadId)
      this.#open.set(uploadId, known)
      return known
    }
    const pending = await this.#pendingOf(userId, uploadId)
    await this.#makeRoom()
    const partial = await PartialFile.open(this.#folder, uploadId, pending.announced.size, pending.hashed)
    const opened = { partial, pending, usedAt: this.#options.clock.steadyNow() }
    this.#open.set(uploadId, opened)
    return opened
  }

  async #makeRoom(): Promise<void> {
    if (this.#open.size < MAX_OPEN) return
    for (const uploadId of this.#open.keys()) {
      if (!this.#lanes.busy(uploadId)) return await this.#closeUpload(uploadId)
    }
    throw new ChatError('overloaded', undefined, { retryAfterMs: RETRY_AFTER_MS })
  }

  async #pendingOf(userId: string, uploadId: string): Promise<Pending> {
    const pending = await readPending(this.#folder, uploadId)
    if (pending?.userId !== userId) throw noSuchUpload()
    return pending
  }

  async #storedBy(userId: string, uploadId: string): Promise<Stored | null> {
    const stored = await readStored(this.#folder, uploadId)
    if (stored && stored.userId !== userId) throw noSuchUpload()
    return stored
  }

  #closeLater(uploadId: string): void {
    // In its lane: a chunk that arrives later opens it again.
    this.#lanes.run(uploadId, 0, () => this.#closeUpload(uploadId)).catch(() => {})
  }

  async #closeUpload(uploadId: string): Promise<void> {
    const opened = this.#open.get(uploadId)
    this.#open.delete(uploadId)
    await opened?.partial.close()
  }

  async #drop(uploadId: string): Promise<void> {
    await this.#closeUpload(uploadId)
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
    this.#requireRoom(wanted)
  }

  #requireRoom(wanted: number): void {
    const { quotaBytes } = this.#options
    if (quotaBytes > 0 && wanted > quotaBytes) {
      const message = `the files of one user are limited to ${quotaBytes} bytes; delete some first`
      throw new ChatError('quota_exceeded', message)
    }
  }

  #requireAllowedSize({ size }: AnnouncedFile): void {
    const { maxUploadBytes } = this.#options
    if (size > maxUploadBytes) {
      throw new ChatError('too_large', `a file must be at most ${maxUploadBytes} bytes`, {
        field: 'fileSize',
      })
    }
  }
}

function differs(field: string): ChatError {
  return new ChatError('bad_request', `${field} differs from the value that the upload began with`, { field })
}
