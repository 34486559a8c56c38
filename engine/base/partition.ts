/**
 * Partitioning: which lane and which shard an id belongs to.
 *
 * `partition = hash(id) % 1024`, `lane = partition % 32`, `shard = lane % shards`. A lane
 * is the unit of the log: it has its own offsets, held answers and failures. The hash is 32-bit FNV-1a over
 * the UTF-8 bytes of the id, so that the front end can route a frame by its bytes, without a string.
 * (http://www.isthe.com/chongo/tech/comp/fnv/)
 */
/** A power of two: the remainder is the last bits. */
const PARTITIONS = 1024
export const LANES = 32
const OFFSET_BASIS = 0x811c9dc5
const PRIME = 0x01000193
const LAST_ASCII = 0x7f

/** The partition of the id whose UTF-8 bytes are `bytes[start]` up to `bytes[end]`. */
export function partitionOf(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = OFFSET_BASIS
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (bytes[at] as number), PRIME)
  }
  return hash & (PARTITIONS - 1)
}

const utf8 = new TextEncoder()

/** The lane of an id. */
export function laneOf(id: string): number {
  let hash = OFFSET_BASIS
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at)
    // Most ids are ASCII: their bytes are their characters.
    if (code > LAST_ASCII) return partitionOf(utf8.encode(id)) % LANES
    hash = Math.imul(hash ^ code, PRIME)
  }
  return (hash & (PARTITIONS - 1)) % LANES
}

/** The shard, of `shards`, that owns `id`. */
export function shardOf(id: string, shards: number): number {
  return laneOf(id) % shards
}

/** The shard, of `shards`, that owns the id whose UTF-8 bytes are `bytes[start]` up to `bytes[end]`. */
export function shardOfBytes(bytes: Uint8Array, start: number, end: number, shards: number): number {
  return (partitionOf(bytes, start, end) % LANES) % shards
}

/** The lanes of a shard. */
export function lanesOf(shard: number, shards: number): readonly number[] {
  return Array.from({ length: LANES }, (_, lane) => lane).filter((lane) => lane % shards === shard)
}
