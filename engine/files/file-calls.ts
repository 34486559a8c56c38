/**
 * File calls: what an actor may ask of the files' bytes, and what it gives.
 *
 * Handlers do not touch the disk; they return a call as an effect, and the shard has it done by a
 * `Files`. The store on disk is one, a test's or a simulation's own another. Times and ids come
 * with the call, so that the same calls make the same files.
 */
import type { File } from '../../protocol/records.ts'

/** What is known of an upload before its bytes. */
export interface AnnouncedFile {
  readonly groupId: string
  /** Shown to people; never a path. */
  readonly fileName: string
  /** Bytes. */
  readonly size: number
  /** What the sender says it is; the bytes decide. */
  readonly mimeType?: string | undefined
  /** Checked at the end where it is given; hexadecimal. */
  readonly sha256?: string | undefined
}

/** How far an upload is. */
export interface UploadProgress {
  readonly uploadId: string
  readonly received: number
  readonly size: number
}

/** An upload whose bytes are kept under their name for good. */
export interface KeptUpload {
  readonly groupId: string
  readonly file: File
  /** It was kept before, and is asked for again. */
  readonly again: boolean
}

export interface FileCalls {
  /**
   * Begins an upload, or with `uploadId` goes on with one of the user's own.
   * Refusals: `too_large`, `limit_reached`, `quota_exceeded`, `not_found` (no such upload of this user).
   */
  begin: {
    readonly args: {
      readonly userId: string
      readonly announced: AnnouncedFile
      readonly uploadId?: string | undefined
      /** Bytes of the user's files so far, for the quota. */
      readonly storedBytes: number
      /** Fresh; a new upload's id is made of it. */
      readonly newId: string
      readonly now: number
    }
    readonly result: UploadProgress
  }
  /** Writes the next bytes, which are copied. Bytes that are there already are passed over. */
  append: {
    readonly args: {
      readonly userId: string
      readonly uploadId: string
      readonly offset: number
      readonly bytes: Uint8Array
    }
    readonly result: UploadProgress
  }
  /** Looks at the bytes and keeps them; a file's id is made of `newId` where it was not kept before. */
  end: {
    readonly args: {
      readonly userId: string
      readonly uploadId: string
      readonly newId: string
      readonly now: number
    }
    readonly result: KeptUpload
  }
  /** Keeps a file whose bytes are all there. */
  keep: {
    readonly args: {
      readonly userId: string
      readonly announced: AnnouncedFile
      readonly bytes: Uint8Array
      /** Bytes of the user's files so far, for the quota. */
      readonly storedBytes: number
      readonly newId: string
      readonly now: number
    }
    readonly result: KeptUpload
  }
}

export type FileCallName = keyof FileCalls

/** Any call with its arguments. */
export type FileCall<N extends FileCallName = FileCallName> = {
  [K in N]: { readonly call: K } & FileCalls[K]['args']
}[N]

/** What is under way, for the stats. */
export interface FileDepths {
  /** Uploads whose file is open. */
  readonly uploads: number
  /** Bytes that wait for the disk. */
  readonly uploadBytes: number
}

/** Who does the calls: those about one upload strictly in the order in which they were made. */
export interface Files {
  readonly depths: FileDepths
  /** Rejects with a `ChatError` where it is refused. */
  run<N extends FileCallName>(call: FileCall<N>): Promise<FileCalls[N]['result']>
  /** Lets go of what has not been used for a while; called now and then. */
  sweep(): void
  /** Lets go of everything. What was not ended can be gone on with after the next start. */
  close(): Promise<void>
}
