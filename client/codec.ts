/** The codec of the SDK, over its own small msgpack: the size of a page's bundle is what counts here. */
import { clientCodec } from '../protocol/client-codec.ts'
import { pack, unpack } from './msgpack.ts'

export const { encodeRequest, decodeEvent } = clientCodec({ pack, unpack })
