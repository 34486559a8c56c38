/**
 * File calls: the operations on file contents that an actor can request, with their results.
 *
 * Handlers do not access the disk. They return a call as an effect, and the shard runs it with a
 * `Files`: the store on disk, or a substitute in a test or simulation. Times and ids are arguments of
 * the call, so that the same calls create the same files.
 */
import type { File } from '../../protocol/records.ts'

/** The properties of an upload that are known before its bytes. */
export interface AnnouncedFile {
  readonly groupId: string
  /** Display name; never used as a path. */
  readonly fileName: string
  /** Bytes. */
  readonly size: number
  /** The type that the sender states; the type found in the bytes has precedence. */
  readonly mimeType?: string | undefined
  /** Checked at the end if present; hexadecimal. */
  readonly sha256?: string | undefined
}

/** Progress of an upload. */
export interface UploadProgress {
  readonly uploadId: string
  readonly received: number
  readonly size: number
}

/** An upload whose bytes are stored under their final name. */
export interface StoredUpload {
  readonly groupId: string
  readonly file: File
  /** True if it was stored by an earlier call. */
  readonly again: boolean
}

export interface FileCalls {
  /**
   * Begins an upload, or with `uploadId` resumes one of the user's uploads.
   * Errors: `too_large`, `limit_reached`, `quota_exceeded`, `not_found` (no such upload of this user).
   */
  begin: {
    readonly args: {
      readonly userId: string
      readonly announced: AnnouncedFile
      readonly uploadId?: string | undefined
      /** Bytes of the user's stored files, for the quota. */
      readonly storedBytes: number
      /** A fresh id; the id of a new upload is derived from it. */
      readonly newId: string
      readonly now: number
    }
    readonly result: UploadProgress
  }
  /** Writes the next bytes, which are copied. Bytes that were already received are skipped. */
  append: {
    readonly args: {
      readonly userId: string
      readonly uploadId: string
      readonly offset: number
      readonly bytes: Uint8Array
    }
    readonly result: UploadProgress
  }
  /** Inspects the bytes and stores them; the file id is derived from `newId` unless it is already stored. */
  end: {
    readonly args: {
      readonly userId: string
      readonly uploadId: string
      readonly newId: string
      readonly now: number
    }
    readonly result: StoredUpload
  }
  /** Stores a complete file in one call. */
  store: {
    readonly args: {
      readonly userId: string
      readonly announced: AnnouncedFile
      readonly bytes: Uint8Array
      /** Bytes of the user's stored files, for the quota. */
      readonly storedBytes: number
      readonly newId: string
      readonly now: number
    }
    readonly result: StoredUpload
  }
}

export type FileCallName = keyof FileCalls

/** Any call with its arguments. */
export type FileCall<N extends FileCallName = FileCallName> = {
  [K in N]: { readonly call: K } & FileCalls[K]['args']
}[N]

/** Work in progress, for the stats. */
export interface FileDepths {
  /** Uploads whose file is open. */
  readonly uploads: number
  /** Bytes that wait to be written to the disk. */
  readonly uploadBytes: number
}

/** Runs the calls. Calls for one upload run strictly in the order in which they were made. */
export interface Files {
  readonly depths: FileDepths
  /** Rejects with a `ChatError` if the call is refused. */
  run<N extends FileCallName>(call: FileCall<N>): Promise<FileCalls[N]['result']>
  /** Closes uploads that have been idle; called periodically. */
  sweep(): void
  /** Closes everything. Unfinished uploads can be resumed after the next start. */
  close(): Promise<void>
}
