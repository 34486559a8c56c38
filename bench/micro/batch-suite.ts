/**
 * Batch: the cost of writing and reading a frame between two threads, without the threads.
 */

import { ToHub } from '../../engine/shards/hub-records.ts'
import { BatchWriter, readBatch } from '../../engine/threads/batch.ts'
import { encodeEvent } from '../../protocol/codec.ts'
import { type MicroSuite, OPERATIONS } from './micro-task.ts'
import { sampleGroup, sampleMessage } from './sample.ts'

export function batchSuite(): MicroSuite {
  const frame = encodeEvent('new_message', 0, { message: sampleMessage(1_000) })
  const topic = Buffer.from(`g:${sampleGroup.groupId}`)
  let batch: Uint8Array = new Uint8Array(0)
  const outbox = new BatchWriter(
    (filled) => {
      batch = filled
    },
    () => {},
  )
  const fill = (): void => {
    for (let i = 0; i < OPERATIONS; i++) outbox.push(ToHub.publish, 0, topic, frame)
    outbox.flush()
  }
  fill()
  const full = batch
  // The result is stored, so that the compiler cannot remove the code as unused.
  const read = { bytes: 0 }
  return {
    tasks: [
      { name: 'batch: push a frame', operations: OPERATIONS, run: fill },
      {
        name: 'batch: read a frame',
        operations: OPERATIONS,
        run: () => {
          readBatch(full, (_kind, _number, _id, body) => {
            read.bytes += body.length
          })
        },
      },
    ],
    end: () => {},
  }
}
