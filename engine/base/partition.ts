/**
 * Partitioning: which shard owns an id.
 *
 * `partition = hash(id) % 1024`, `shard = partition % shards` (DESIGN, threads). The hash is 32-bit
 * FNV-1a over the id's UTF-8 bytes, so that the front end can route a frame from the bytes where
 * they lie, without making a string of them. (http://www.isthe.com/chongo/tech/comp/fnv/)
 */
const PARTITIONS = 1024
const OFFSET_BASIS = 0x811c9dc5
const PRIME = 0x01000193
const LAST_ASCII = 0x7f

/** The partition of the id whose UTF-8 bytes are `bytes[start]` up to `bytes[end]`. */
export function partitionOf(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = OFFSET_BASIS
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (bytes[at] as number), PRIME)
  }
  return (hash >>> 0) % PARTITIONS
}

const utf8 = new TextEncoder()

/** The shard, of `shards`, that owns `id`. */
export function shardOf(id: string, shards: number): number {
  let hash = OFFSET_BASIS
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at)
    // Most ids are ASCII: their bytes are their characters.
    if (code > LAST_ASCII) return partitionOf(utf8.encode(id)) % shards
    hash = Math.imul(hash ^ code, PRIME)
  }
  return ((hash >>> 0) % PARTITIONS) % shards
}
