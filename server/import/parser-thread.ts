/**
 * Parser thread: reads a file to import and validates its records, while the main thread writes the ones before.
 * Sends one chunk for each request, and `null` after the last one.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { lineChunks } from './line-chunks.ts'
import { type RecordChunk, recordChunk } from './record-chunk.ts'

/** A chunk between threads: JSON is read in a third of the time of cloned objects. */
export type SentChunk = Omit<RecordChunk, 'records'> & { readonly records: string }

export interface ParserData {
  readonly file: string
  readonly now: number
}

const { file, now } = workerData as ParserData
const main = parentPort as MessagePort
const chunks = lineChunks(file)

main.on('message', () => {
  const next = chunks.next()
  if (next.done) {
    main.postMessage(null)
    main.close()
    return
  }
  const chunk = recordChunk(next.value, now)
  main.postMessage({ ...chunk, records: JSON.stringify(chunk.records) } satisfies SentChunk)
})
