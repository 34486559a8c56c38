/**
 * Record chunks: the records of a file in parts. A thread parses the next part while this thread writes one;
 * at most `AHEAD` parts are in memory besides. A file of one part is parsed on this thread, which is faster than a
 * new one.
 */
import { once } from 'node:events'
import { statSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { startThread } from '../../engine/runtime/start-thread.ts'
import type { LineRecord } from './import-record.ts'
import { CHUNK_BYTES, lineChunks } from './line-chunks.ts'
import type { ParserData, SentChunk } from './parser-thread.ts'
import { type RecordChunk, recordChunk } from './record-chunk.ts'

const AHEAD = 2
/** All records of a chunk live until it is sent: a small young generation would copy each of them twice. */
const YOUNG_MIB = 48

/** @throws the error of the file system */
export async function* recordChunks(file: string, now: number): AsyncGenerator<RecordChunk> {
  const stats = statSync(file)
  if (stats.isFile() && stats.size <= CHUNK_BYTES) {
    for (const chunk of lineChunks(file)) yield recordChunk(chunk, now)
    return
  }
  const workerData: ParserData = { file, now }
  const thread = startThread(new URL('./parser-thread.js', import.meta.url), { workerData }, YOUNG_MIB)
  try {
    yield* chunksOf(thread)
  } finally {
    await thread.terminate()
  }
}

async function* chunksOf(thread: Worker): AsyncGenerator<RecordChunk> {
  const sent: SentChunk[] = []
  let hasEnded = false
  let failure: Error | undefined
  thread.on('message', (chunk: SentChunk | null) => {
    if (chunk) sent.push(chunk)
    else hasEnded = true
  })
  thread.on('error', (error) => {
    failure = error
  })
  for (let asked = 0; asked < AHEAD; asked++) thread.postMessage(null)
  for (;;) {
    if (failure) throw failure
    const chunk = sent.shift()
    if (chunk) {
      thread.postMessage(null)
      yield { ...chunk, records: JSON.parse(chunk.records) as LineRecord[] }
    } else if (hasEnded) return
    else await once(thread, 'message')
  }
}
