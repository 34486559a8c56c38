/**
 * File thread: hashes and inspects the bytes of files on a separate thread.
 *
 * Each shard has its own port and its own store. The lock of an upload prevents two stores, or a
 * stream of the main thread, from writing it at the same time. The thread ends on a message from the main thread.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { ChatError } from '../../protocol/errors.ts'
import type { FileCall } from '../actors/file-calls.ts'
import { machineClock } from '../base/clock.ts'
import type { FileAnswer } from '../files/file-port.ts'
import { FileStore, type FileStoreOptions } from '../files/file-store.ts'
import { rethrowAsErrors } from '../threads/thread-errors.ts'
import { answerPings } from '../threads/watchdog.ts'

/** Start parameters of the file thread. */
export interface FileThreadData {
  readonly store: Omit<FileStoreOptions, 'clock'>
  readonly ports: readonly MessagePort[]
  readonly watch: MessagePort
}

const SWEEP_MS = 10_000

const { store: options, ports, watch } = workerData as FileThreadData
const main = parentPort as MessagePort
const stores = ports.map((port) => serve(port))
const sweep = setInterval(() => {
  for (const store of stores) store.sweep()
}, SWEEP_MS)

rethrowAsErrors()
answerPings(watch)
main.on('message', () => {
  clearInterval(sweep)
  for (const port of ports) port.close()
  main.close()
  // The thread ends when the last file is closed.
  Promise.all(stores.map((store) => store.close())).catch((error: unknown) => {
    throw error
  })
})

function serve(port: MessagePort): FileStore {
  const store = new FileStore({ ...options, clock: machineClock })
  port.on('message', ({ id, call }: { readonly id: number; readonly call: FileCall }) => {
    store.run(call).then(
      (result) => port.postMessage({ id, depths: store.depths, result } satisfies FileAnswer),
      (error: unknown) => {
        const refusal = error instanceof ChatError ? error.toFields() : null
        const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
        port.postMessage({ id, depths: store.depths, refusal, cause } satisfies FileAnswer)
      },
    )
  })
  return store
}
