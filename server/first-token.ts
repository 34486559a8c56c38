/**
 * First token: the token in the first frame of a connection whose upgrade had none. The frame must be
 * `authenticate`.
 */
import { decodeRequest } from '../protocol/codec.ts'
import { ChatError } from '../protocol/errors.ts'
import type { Wire } from './wire.ts'

/** The token of an `authenticate` frame and the ref that `connected` will answer; null for others. */
export function firstToken(
  message: Uint8Array,
  isBinary: boolean,
  wire: Wire,
): { readonly token: string; readonly ref: number } | null {
  if (isBinary !== wire.isBinary) return null
  try {
    const request = decodeRequest(wire.decode(message))
    return request.event === 'authenticate' ? { token: request.fields.token, ref: request.ref } : null
  } catch (error) {
    if (error instanceof ChatError) return null
    throw error
  }
}
