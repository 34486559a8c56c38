/**
 * File thread: hashing, decoding and inspecting the bytes of files, apart from everything else.
 *
 * Each shard, and the main thread for HTTP, asks over a port of its own and has a store of its own;
 * the lock of an upload keeps two of them from writing the same one. Ends by itself when told to.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { ChatError } from '../../protocol/errors.ts'
import { machineClock } from '../clock.ts'
import { rethrowAsErrors } from '../shards/thread-errors.ts'
import { answerPings } from '../shards/watchdog.ts'
import type { FileAnswer, FileRequest, OpenedStream, WrittenPiece } from './file-port.ts'
import { FileStore, type FileStoreOptions } from './file-store.ts'
import { DiskUploadStreams, type UploadStream } from './upload-streams.ts'

/** What the main thread starts the file thread with. */
export interface FileThreadData {
  readonly store: Omit<FileStoreOptions, 'clock'>
  readonly ports: readonly MessagePort[]
  readonly watch: MessagePort
}

const SWEEP_MS = 10_000

const { store: options, ports, watch } = workerData as FileThreadData
const main = parentPort as MessagePort
const uploads = new DiskUploadStreams(options.dataDir)
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
  const streams = new Map<number, UploadStream>()
  let lastStream = 0
  const streamOf = (stream: number) => {
    const open = streams.get(stream)
    if (!open) throw new Error(`no stream ${stream}`)
    return open
  }
  const handle = async (request: FileRequest): Promise<unknown> => {
    switch (request.kind) {
      case 'call':
        return await store.run(request.call)
      case 'open': {
        const opened = await uploads.open(request.userId, request.uploadId)
        lastStream += 1
        streams.set(lastStream, opened)
        const { size, received } = opened
        return { stream: lastStream, size, received } satisfies OpenedStream
      }
      case 'write':
        return {
          received: await streamOf(request.stream).write(request.bytes),
          buffer: request.bytes.buffer,
        } satisfies WrittenPiece
      case 'close': {
        const open = streamOf(request.stream)
        streams.delete(request.stream)
        return await open.close()
      }
    }
  }
  port.on('message', ({ id, request }: { readonly id: number; readonly request: FileRequest }) => {
    handle(request).then(
      (result) => {
        const answer: FileAnswer = { id, depths: store.depths, result }
        port.postMessage(answer, request.kind === 'write' ? [request.bytes.buffer] : [])
      },
      (error: unknown) => {
        const refusal = error instanceof ChatError ? error.toFields() : null
        const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
        port.postMessage({ id, depths: store.depths, refusal, cause } satisfies FileAnswer)
      },
    )
  })
  return store
}
