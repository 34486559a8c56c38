/**
 * Duration of MP4, M4A and QuickTime: the movie header (`moov` / `mvhd`), at any position in
 * the file. Boxes are skipped by their length; only their first bytes are read.
 */
import type { ByteSource } from './byte-source.ts'

const MAX_BOXES = 64
const UNKNOWN_32 = 0xffff_ffff

export async function mp4Duration(source: ByteSource): Promise<number | null> {
  const moov = await findBox(source, 'moov', 0, source.size)
  const mvhd = moov && (await findBox(source, 'mvhd', moov.start, moov.end))
  if (!mvhd) return null
  const header = await source.read(mvhd.start, 32)
  const wide = header.readUInt8(0) === 1
  const timescale = header.readUInt32BE(wide ? 20 : 12)
  const duration = wide ? Number(header.readBigUInt64BE(24)) : header.readUInt32BE(16)
  // A stream that is still written says nothing, or all ones.
  return timescale > 0 && duration < UNKNOWN_32 * (wide ? UNKNOWN_32 : 1) ? duration / timescale : null
}

interface Box {
  /** Of its content. */
  readonly start: number
  readonly end: number
}

async function findBox(source: ByteSource, type: string, from: number, end: number): Promise<Box | null> {
  let at = from
  for (let i = 0; i < MAX_BOXES && at + 8 <= end; i++) {
    const header = await source.read(at, 16)
    if (header.length < 8) return null
    let length = header.readUInt32BE(0)
    let headerBytes = 8
    if (length === 1) {
      length = Number(header.readBigUInt64BE(8))
      headerBytes = 16
    } else if (length === 0) length = end - at
    if (length < headerBytes) return null
    if (header.toString('latin1', 4, 8) === type) {
      return { start: at + headerBytes, end: Math.min(at + length, end) }
    }
    at += length
  }
  return null
}
