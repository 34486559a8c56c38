/**
 * File port: a shard's end of the file thread.
 *
 * Hashing and inspecting files needs CPU time; on a separate thread it does not delay messages.
 * Bytes are copied once and transferred. At most `MAX_OPEN` requests and `MAX_WAITING_BYTES` are
 * pending; above that a request is refused as `overloaded`. When the thread has not answered for five
 * seconds, requests are refused as `storage_unavailable` until it answers again.
 */
import type { MessagePort } from 'node:worker_threads'
import { ChatError, type ErrorDetails } from '../../protocol/errors.ts'
import type { FileCall, FileCallName, FileCalls, FileDepths, Files } from '../actors/file-calls.ts'
import { overloaded, storageUnavailable } from '../base/refusals.ts'
import { StallGuard } from '../threads/stall-guard.ts'
import { startTimer } from '../threads/timer.ts'

const MAX_OPEN = 4_096
const MAX_WAITING_BYTES = 64 * 1024 * 1024

/** A serialized refusal; null if the error is internal, in which case `cause` contains it. */
export type FileRefusal = ({ readonly code: string; readonly message: string } & ErrorDetails) | null

export type FileAnswer = {
  readonly id: number
  readonly depths: FileDepths
} & ({ readonly result: unknown } | { readonly refusal: FileRefusal; readonly cause: string })

interface Pending {
  readonly bytes: number
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

export class FilePort implements Files {
  readonly #port: MessagePort
  readonly #guard: StallGuard
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #waitingBytes = 0
  #stalled = false
  #depths: FileDepths = { uploads: 0, uploadBytes: 0 }

  constructor(port: MessagePort) {
    this.#port = port
    this.#guard = new StallGuard({
      after: startTimer,
      isWaiting: () => this.#pending.size > 0,
      onStalled: () => this.#refuseAll(),
    })
    port.on('message', (answer: FileAnswer) => this.#answered(answer))
  }

  /** As the thread reported them in its last answer, with the bytes that this port has pending. */
  get depths(): FileDepths {
    return { ...this.#depths, uploadBytes: this.#waitingBytes }
  }

  run<N extends FileCallName>(call: FileCall<N>): Promise<FileCalls[N]['result']> {
    const any = call as unknown as FileCall
    if (!('bytes' in any)) return this.#ask(any)
    // `bytes` is a view into the received batch.
    const bytes = new Uint8Array(any.bytes)
    return this.#ask({ ...any, bytes }, bytes)
  }

  /** Does nothing: the file thread closes idle uploads itself. */
  sweep(): void {}

  /** Closes the port, so that the threads can end. */
  async close(): Promise<void> {
    this.#guard.close()
    this.#port.close()
  }

  #ask<T>(call: FileCall, bytes?: Uint8Array<ArrayBuffer>): Promise<T> {
    const length = bytes?.length ?? 0
    if (this.#stalled) return Promise.reject(storageUnavailable())
    if (
      this.#pending.size >= MAX_OPEN ||
      (this.#waitingBytes > 0 && this.#waitingBytes + length > MAX_WAITING_BYTES)
    ) {
      return Promise.reject(overloaded())
    }
    return new Promise<T>((resolve, reject) => {
      this.#lastId += 1
      this.#pending.set(this.#lastId, { bytes: length, resolve: resolve as never, reject })
      this.#waitingBytes += length
      this.#guard.watch()
      this.#port.postMessage({ id: this.#lastId, call }, bytes ? [bytes.buffer] : [])
    })
  }

  #answered(answer: FileAnswer): void {
    this.#stalled = false
    this.#guard.advanced()
    this.#depths = answer.depths
    const pending = this.#pending.get(answer.id)
    if (!pending) return
    this.#pending.delete(answer.id)
    this.#waitingBytes -= pending.bytes
    if ('result' in answer) pending.resolve(answer.result as never)
    else if (answer.refusal) pending.reject(ChatError.fromFields(answer.refusal))
    else pending.reject(new Error(answer.cause))
  }

  #refuseAll(): void {
    this.#stalled = true
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    this.#waitingBytes = 0
    for (const { reject } of waiting) reject(storageUnavailable())
  }
}
