/**
 * Duration of WAV and FLAC: both state the number of samples in their first blocks.
 * https://www.rfc-editor.org/rfc/rfc9639#name-streaminfo
 */
import type { ByteSource } from './byte-source.ts'

const MAX_CHUNKS = 64

/** RIFF: `fmt ` states the bytes per second, `data` the number of bytes. */
export async function wavDuration(source: ByteSource): Promise<number | null> {
  let at = 12
  let byteRate = 0
  for (let i = 0; i < MAX_CHUNKS; i++) {
    const header = await source.read(at, 20)
    if (header.length < 8) return null
    const id = header.toString('latin1', 0, 4)
    const length = header.readUInt32LE(4)
    if (id === 'fmt ') byteRate = header.readUInt32LE(16)
    if (id === 'data') {
      // A live recording has length 0: use the bytes that are present.
      const there = source.size - at - 8
      return byteRate > 0 ? Math.min(length === 0 ? there : length, there) / byteRate : null
    }
    at += 8 + length + (length % 2)
  }
  return null
}

/** STREAMINFO is the first block: 20 bits of sample rate, 36 of samples. */
export async function flacDuration(source: ByteSource): Promise<number | null> {
  const header = await source.read(0, 26)
  if (header.toString('latin1', 0, 4) !== 'fLaC') return null
  const rate = (header.readUInt16BE(18) << 4) | (header.readUInt8(20) >> 4)
  const samples = (header.readUInt8(21) & 0x0f) * 2 ** 32 + header.readUInt32BE(22)
  return rate > 0 ? samples / rate : null
}
