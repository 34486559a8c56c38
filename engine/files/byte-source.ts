/**
 * Byte source: reads parts of a file.
 *
 * A header parser reads at most `MAX_READS` pieces of at most `MAX_PIECE_BYTES` each, never the
 * whole file. A header that contains a loop gives null, like one that is truncated.
 */
import type { FileHandle } from 'node:fs/promises'

const MAX_READS = 256
export const MAX_PIECE_BYTES = 256 * 1024

/** Reads at most `length` bytes at `position`; fewer at the end, none beyond it. */
export interface ByteSource {
  readonly size: number
  read(position: number, length: number): Promise<Buffer>
}

/** Thrown when a header needs more than `MAX_READS` reads. */
class TooManyReads extends Error {
  override readonly name = 'TooManyReads'
}

/** A source over an open file. */
export function fileSource(handle: FileHandle, size: number): ByteSource {
  let reads = 0
  return {
    size,
    async read(position, length) {
      reads += 1
      if (reads > MAX_READS) throw new TooManyReads(`a header needs more than ${MAX_READS} reads`)
      const wanted = Math.min(length, MAX_PIECE_BYTES, Math.max(0, size - position))
      if (!Number.isSafeInteger(position) || position < 0 || wanted <= 0) return Buffer.alloc(0)
      const piece = Buffer.allocUnsafe(wanted)
      const { bytesRead } = await handle.read(piece, 0, wanted, position)
      return piece.subarray(0, bytesRead)
    },
  }
}

/** A source over bytes in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let reads = 0
  return {
    size: bytes.length,
    async read(position, length) {
      reads += 1
      if (reads > MAX_READS) throw new TooManyReads(`a header needs more than ${MAX_READS} reads`)
      if (!Number.isSafeInteger(position) || position < 0) return Buffer.alloc(0)
      return buffer.subarray(position, position + Math.min(length, MAX_PIECE_BYTES))
    },
  }
}
