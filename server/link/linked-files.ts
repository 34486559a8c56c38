/**
 * Linked files: the bytes of files that are stored at the engine, read and written by a front.
 *
 * One chunk at a time crosses the link, and the next one only after the answer (flow control). A reader opens
 * its file again after a break of the link, because content never changes; an upload that a break interrupts
 * is refused as `overloaded`, and its client continues it.
 */

import type { FileAccess, FileReader, UploadWriter } from '../../engine/files/file-access.ts'
import { ChatError } from '../../protocol/errors.ts'
import { CHUNK_BYTES } from './engine-calls.ts'

/** Calls the engine; `epoch` numbers the links one after the other. */
export interface Caller {
  readonly epoch: number
  call(name: string, args: readonly unknown[]): Promise<unknown>
}

export class LinkedFiles implements FileAccess {
  readonly #caller: Caller
  #streams = 0

  constructor(caller: Caller) {
    this.#caller = caller
  }

  get streams(): number {
    return this.#streams
  }

  async read(userId: string, sha256: string): Promise<FileReader> {
    const open = () => this.#caller.call('fileRead', [userId, sha256])
    let { epoch } = this.#caller
    let file = await open()
    this.#streams += 1
    let isOpen = true
    return {
      read: async (into, position) => {
        const length = Math.min(into.length, CHUNK_BYTES)
        const readChunk = () => this.#caller.call('readChunk', [file, position, length])
        const chunk = await readChunk().catch(async (error: unknown) => {
          if (this.#caller.epoch === epoch && !isInterruption(error)) throw error
          file = await open()
          epoch = this.#caller.epoch
          return readChunk()
        })
        into.set(chunk as Uint8Array)
        return (chunk as Uint8Array).length
      },
      close: async () => {
        if (!isOpen) return
        isOpen = false
        this.#streams -= 1
        await this.#close(file, epoch)
      },
    }
  }

  async write(userId: string, uploadId: string): Promise<UploadWriter> {
    const { epoch } = this.#caller
    const opened = (await this.#caller.call('fileWrite', [userId, uploadId])) as Opened
    this.#streams += 1
    let { received } = opened
    let isOpen = true
    const caller = this.#caller
    return {
      size: opened.size,
      get received() {
        return received
      },
      async write(bytes) {
        for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
          const chunk = bytes.subarray(at, at + CHUNK_BYTES)
          received = (await caller.call('writeChunk', [opened.file, chunk])) as number
        }
      },
      close: async () => {
        if (!isOpen) return
        isOpen = false
        this.#streams -= 1
        await this.#close(opened.file, epoch)
      },
    }
  }

  progress(userId: string, uploadId: string): ReturnType<FileAccess['progress']> {
    return this.#caller.call('fileProgress', [userId, uploadId]) as ReturnType<FileAccess['progress']>
  }

  /** Closed by the engine when a link ends: then there is nothing to do. */
  async #close(file: unknown, epoch: number): Promise<void> {
    if (epoch === this.#caller.epoch) await this.#caller.call('fileClose', [file]).catch(() => {})
  }
}

/** The link broke while the chunk was read. */
function isInterruption(error: unknown): boolean {
  return error instanceof ChatError && error.code === 'overloaded'
}

interface Opened {
  readonly file: number
  readonly received: number
  readonly size: number
}
