/**
 * The codec of the SDK, over `@msgpack/msgpack`: half the size of the server's library, and the
 * bundle of a page is what counts here.
 */
import { Decoder, Encoder } from '@msgpack/msgpack'
import { clientCodec } from '../protocol/client-codec.ts'

const encoder = new Encoder({ useBigInt64: true })
const decoder = new Decoder()

export const { encodeRequest, decodeEvent } = clientCodec({
  pack: (value) => encoder.encode(value),
  unpack: (frame) => decoder.decode(frame),
})
