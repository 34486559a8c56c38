/**
 * First token: the token in the first frame of a connection whose upgrade had none. The frame must be
 * `authenticate`.
 */
import { decodeRequest } from '../protocol/codec.ts'
import { ChatError } from '../protocol/errors.ts'
import { requestFromJson } from '../protocol/json-codec.ts'

/** The token of an `authenticate` frame and the ref that `connected` will answer; null for others. */
export function firstToken(
  bytes: Uint8Array,
  isBinary: boolean,
  json: boolean,
): { readonly token: string; readonly ref: number } | null {
  if (isBinary === json) return null
  try {
    const frame = json ? requestFromJson(Buffer.from(bytes).toString()) : bytes
    const request = decodeRequest(frame)
    return request.event === 'authenticate' ? { token: request.fields.token, ref: request.ref } : null
  } catch (error) {
    if (error instanceof ChatError) return null
    throw error
  }
}
