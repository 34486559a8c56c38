/**
 * Duration of Ogg: the position of the last page, in samples at the rate that the first page states.
 * Opus always counts 48,000 samples a second, and its first samples are skipped.
 * https://www.rfc-editor.org/rfc/rfc3533 https://www.rfc-editor.org/rfc/rfc7845
 */
import type { ByteSource } from './byte-source.ts'

const TAIL_BYTES = 128 * 1024
const PAGE_HEADER_BYTES = 27
const OPUS_RATE = 48_000

export async function oggDuration(source: ByteSource): Promise<number | null> {
  const head = await source.read(0, 512)
  if (head.toString('latin1', 0, 4) !== 'OggS') return null
  const codec = codecOf(head)
  if (!codec) return null
  const serial = head.readUInt32LE(14)
  const tail = await source.read(Math.max(0, source.size - TAIL_BYTES), TAIL_BYTES)
  for (let at = tail.lastIndexOf('OggS'); at >= 0; at = at > 0 ? tail.lastIndexOf('OggS', at - 1) : -1) {
    if (at + PAGE_HEADER_BYTES > tail.length || tail.readUInt32LE(at + 14) !== serial) continue
    // A page on which no packet ends has position -1.
    const position = tail.readBigInt64LE(at + 6)
    if (position >= 0n) return (Number(position) - codec.skipped) / codec.rate
  }
  return null
}

function codecOf(head: Buffer): { readonly rate: number; readonly skipped: number } | null {
  const opus = head.indexOf('OpusHead')
  if (opus >= 0) return { rate: OPUS_RATE, skipped: head.readUInt16LE(opus + 10) }
  const vorbis = head.indexOf('\x01vorbis', 0, 'latin1')
  if (vorbis < 0) return null
  const rate = head.readUInt32LE(vorbis + 12)
  return rate > 0 ? { rate, skipped: 0 } : null
}
