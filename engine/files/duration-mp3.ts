/**
 * Duration of MP3: the frame count of a Xing, Info or VBRI header in the first frame.
 * Without such a header the bit rate is constant: all frames are as long as the first.
 */
import type { ByteSource } from './byte-source.ts'

/** Range after the ID3 tag that is searched for the first frame. */
const SEARCH_BYTES = 64 * 1024
const ID3V1_BYTES = 128

// biome-ignore format: two rows of a table
const kilobits = {
  mpeg1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  mpeg2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const
const rates = [44_100, 48_000, 32_000] as const

interface Frame {
  readonly mpeg1: boolean
  readonly mono: boolean
  readonly bitRate: number
  readonly sampleRate: number
  readonly samples: number
}

export async function mp3Duration(source: ByteSource): Promise<number | null> {
  const start = await endOfId3(source)
  const piece = await source.read(start, SEARCH_BYTES)
  for (let at = 0; at + 4 <= piece.length; at++) {
    if (piece[at] !== 0xff) continue
    const frame = parseFrame(piece.readUInt32BE(at))
    if (!frame) continue
    const frames = frameCount(piece, at, frame)
    if (frames !== null) return (frames * frame.samples) / frame.sampleRate
    return ((source.size - start - at - (await id3v1Bytes(source))) * 8) / frame.bitRate
  }
  return null
}

/** Layer III only; null for bits that are not a frame header. */
function parseFrame(header: number): Frame | null {
  const version = (header >>> 19) & 3
  const layer = (header >>> 17) & 3
  const bitRateIndex = (header >>> 12) & 15
  const rateIndex = (header >>> 10) & 3
  if (header >>> 21 !== 0x7ff || version === 1 || layer !== 1) return null
  const mpeg1 = version === 3
  const bitRate = (mpeg1 ? kilobits.mpeg1 : kilobits.mpeg2)[bitRateIndex]
  const rate = rates[rateIndex]
  if (!bitRate || !rate) return null
  return {
    mpeg1,
    mono: ((header >>> 6) & 3) === 3,
    bitRate: bitRate * 1_000,
    sampleRate: mpeg1 ? rate : version === 2 ? rate / 2 : rate / 4,
    samples: mpeg1 ? 1_152 : 576,
  }
}

function frameCount(piece: Buffer, at: number, { mpeg1, mono }: Frame): number | null {
  const xing = at + 4 + (mpeg1 ? (mono ? 17 : 32) : mono ? 9 : 17)
  const tag = piece.toString('latin1', xing, xing + 4)
  if (tag === 'Xing' || tag === 'Info') {
    // The first flag bit: a frame count is present.
    const counted = (piece.readUInt32BE(xing + 4) & 1) === 1
    return counted ? piece.readUInt32BE(xing + 8) : null
  }
  const vbri = at + 36
  return piece.toString('latin1', vbri, vbri + 4) === 'VBRI' ? piece.readUInt32BE(vbri + 14) : null
}

/** ID3v2 encodes its length in four groups of seven bits. */
async function endOfId3(source: ByteSource): Promise<number> {
  const header = await source.read(0, 10)
  if (header.length < 10 || header.toString('latin1', 0, 3) !== 'ID3') return 0
  const [a = 0, b = 0, c = 0, d = 0] = header.subarray(6, 10)
  const footer = (header.readUInt8(5) & 0x10) !== 0 ? 10 : 0
  return 10 + footer + (((a & 0x7f) << 21) | ((b & 0x7f) << 14) | ((c & 0x7f) << 7) | (d & 0x7f))
}

async function id3v1Bytes(source: ByteSource): Promise<number> {
  const tail = await source.read(source.size - ID3V1_BYTES, 3)
  return tail.toString('latin1') === 'TAG' ? ID3V1_BYTES : 0
}
