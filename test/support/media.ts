/**
 * Media for tests: the smallest files with a detectable type, built byte by byte.
 */

/** A PNG's signature and header. */
export function aPng(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(45)
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(bytes)
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  Buffer.from('0802000000', 'hex').copy(bytes, 24)
  Buffer.from('0000000049454e44ae426082', 'hex').copy(bytes, 33)
  return bytes
}

/** A GIF's header. */
export function aGif(width: number, height: number): Buffer {
  const bytes = Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(8)])
  bytes.writeUInt16LE(width, 6)
  bytes.writeUInt16LE(height, 8)
  return bytes
}

/** A JPEG that begins with an EXIF header with this orientation. */
export function aJpeg(width: number, height: number, orientation = 1): Buffer {
  const tiff = Buffer.from('4d4d002a000000080001011200030000000100000000000000000000', 'hex')
  tiff.writeUInt16BE(orientation, 18)
  const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff])
  const app1 = Buffer.alloc(4)
  app1.writeUInt16BE(0xffe1, 0)
  app1.writeUInt16BE(exif.length + 2, 2)
  const frame = Buffer.from('ffc00011080000000003012200021101031101', 'hex')
  frame.writeUInt16BE(height, 5)
  frame.writeUInt16BE(width, 7)
  return Buffer.concat([Buffer.from('ffd8', 'hex'), app1, exif, frame, Buffer.from('ffd9', 'hex')])
}

/** One channel of 8 bits: a second has `rate` bytes. */
export function aWav(rate: number, seconds: number): Buffer {
  const header = Buffer.alloc(44)
  const data = rate * seconds
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + data, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(rate, 24)
  header.writeUInt32LE(rate, 28)
  header.writeUInt16LE(1, 32)
  header.writeUInt16LE(8, 34)
  header.write('data', 36)
  header.writeUInt32LE(data, 40)
  return Buffer.concat([header, Buffer.alloc(data)])
}

export function aFlac(rate: number, samples: number): Buffer {
  const bytes = Buffer.alloc(42)
  bytes.write('fLaC', 0)
  bytes.writeUInt32BE(0x80000022, 4)
  bytes.writeUInt16BE(rate >> 4, 18)
  bytes.writeUInt8(((rate & 15) << 4) | 0x02, 20)
  bytes.writeUInt8(0xf0, 21)
  bytes.writeUInt32BE(samples, 22)
  return bytes
}

/** MPEG-1 layer III of 128 kbit/s and 44,100 Hz; with `frames` in a Xing header where given. */
export function anMp3(bytes: number, frames?: number): Buffer {
  const mp3 = Buffer.alloc(bytes)
  for (let at = 0; at + 4 <= bytes; at += 417) mp3.writeUInt32BE(0xfffb9000, at)
  if (frames !== undefined) {
    mp3.write('Xing', 36)
    mp3.writeUInt32BE(1, 40)
    mp3.writeUInt32BE(frames, 44)
  }
  return mp3
}

/** Ogg Opus with a first page, which skips 312 samples, and a last one. */
export function anOpus(samples: number): Buffer {
  const head = Buffer.concat([Buffer.from('OpusHead\x01\x01', 'latin1'), Buffer.alloc(9)])
  head.writeUInt16LE(312, 10)
  head.writeUInt32LE(48_000, 12)
  return Buffer.concat([oggPage(0n, 2, head), oggPage(BigInt(samples + 312), 4, Buffer.alloc(100))])
}

function oggPage(position: bigint, flags: number, body: Buffer): Buffer {
  const page = Buffer.alloc(28)
  page.write('OggS', 0)
  page.writeUInt8(flags, 5)
  page.writeBigInt64LE(position, 6)
  page.writeUInt32LE(77, 14)
  page.writeUInt8(1, 26)
  page.writeUInt8(body.length, 27)
  return Buffer.concat([page, body])
}

/** An MP4 with its movie header after its data. */
export function anMp4(brand: string, timescale: number, duration: number, dataBytes = 64): Buffer {
  const mvhd = Buffer.alloc(100)
  mvhd.writeUInt32BE(timescale, 12)
  mvhd.writeUInt32BE(duration, 16)
  const ftyp = box('ftyp', Buffer.from(`${brand}\0\0\0\0isom`, 'latin1'))
  return Buffer.concat([ftyp, box('mdat', Buffer.alloc(dataBytes)), box('moov', box('mvhd', mvhd))])
}

function box(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(8 + content.length, 0)
  header.write(type, 4)
  return Buffer.concat([header, content])
}

/** A WebM with this duration in milliseconds, the default unit. */
export function aWebm(milliseconds: number): Buffer {
  const duration = Buffer.alloc(8)
  duration.writeDoubleBE(milliseconds)
  const info = element('1549a966', element('4489', duration))
  const docType = element('4282', Buffer.from('webm'))
  return Buffer.concat([element('1a45dfa3', docType), Buffer.from('18538067ff', 'hex'), info])
}

function element(id: string, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(id, 'hex'), Buffer.from([0x80 | content.length]), content])
}
