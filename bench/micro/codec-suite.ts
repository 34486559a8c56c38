/**
 * Codec: the cost of encoding and decoding one frame, and of reading its head only.
 */
import {
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeMessageSent,
  encodeRequest,
} from '../../protocol/codec.ts'
import { peekHead } from '../../protocol/frame-head.ts'
import { type MicroSuite, type MicroTask, OPERATIONS } from './micro-task.ts'
import { sampleMessage, sampleRequest } from './sample.ts'

export function codecSuite(): MicroSuite {
  const fields = sampleRequest(1)
  const message = sampleMessage(1_000)
  const request = encodeRequest('send_message', 1, fields)
  const event = encodeEvent('new_message', 0, { message })
  return {
    tasks: [
      repeated('encode send_message', () => encodeRequest('send_message', 1, fields)),
      repeated('decode and validate send_message', () => decodeRequest(request)),
      repeated('peek at the head of send_message', () => peekHead(request)),
      repeated('encode new_message', () => encodeEvent('new_message', 0, { message })),
      repeated('make message_sent of new_message', () => encodeMessageSent(event, 1, fields.tempId)),
      repeated('decode new_message', () => decodeEvent(event)),
    ],
    end: () => {},
  }
}

/** The results are collected, so that the compiler cannot remove the code as unused. */
function repeated(name: string, operation: () => unknown): MicroTask {
  const results: unknown[] = new Array(OPERATIONS).fill(null)
  return {
    name,
    operations: OPERATIONS,
    run: () => {
      for (let i = 0; i < OPERATIONS; i++) results[i] = operation()
    },
  }
}
