/** Helpers that return the `ChatError` that decoding throws. Any other exception is passed on. */
import { expect } from 'vitest'
import { decodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { requestFromJson } from '../../protocol/json-codec.ts'

/** The error of a msgpack frame, or null if it is accepted. */
export function refusalOf(frame: Uint8Array): ChatError | null {
  return caught(() => decodeRequest(frame))
}

/** The error of a JSON frame, which is converted to msgpack and then validated. */
export function refusalOfJson(text: string): ChatError | null {
  return caught(() => decodeRequest(requestFromJson(text)))
}

function caught(decode: () => unknown): ChatError | null {
  try {
    decode()
    return null
  } catch (error) {
    expect(error).toBeInstanceOf(ChatError)
    return error as ChatError
  }
}
