/**
 * Partitioning: which shard owns an id.
 *
 * `partition = hash(id) % 1024`, `shard = partition % shards` (DESIGN, threads). The hash is 32-bit
 * FNV-1a over the id's UTF-8 bytes, so that the front end can route a frame from the bytes where
 * they lie, without making a string of them. (http://www.isthe.com/chongo/tech/comp/fnv/)
 */
const PARTITIONS = 1024

/** The partition of the id whose UTF-8 bytes are `bytes[start]` up to `bytes[end]`. */
export function partitionOf(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  }
  return (hash >>> 0) % PARTITIONS
}

const utf8 = new TextEncoder()

/** The shard, of `shards`, that owns `id`. */
export function shardOf(id: string, shards: number): number {
  return partitionOf(utf8.encode(id)) % shards
}
