/** Ways to look at a refusal: what decoding throws, and nothing but a `ChatError` will do. */
import { expect } from 'vitest'
import { decodeRequest } from '../../protocol/codec.ts'
import { ChatError } from '../../protocol/errors.ts'
import { requestFromJson } from '../../protocol/json-codec.ts'

/** The refusal of a msgpack frame, or null where it is taken. */
export function refusalOf(frame: Uint8Array): ChatError | null {
  return caught(() => decodeRequest(frame))
}

/** The refusal of a JSON frame on its whole way: to msgpack, then validated. */
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
