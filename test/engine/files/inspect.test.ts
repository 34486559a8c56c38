import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memorySource } from '../../../engine/files/byte-source.ts'
import { inspectSource } from '../../../engine/files/inspect.ts'
import { aFlac, aGif, aJpeg, anMp3, anMp4, anOpus, aPng, aWav, aWebm } from '../../support/media.ts'

const look = (bytes: Uint8Array, claim?: string) => inspectSource(memorySource(bytes), claim)

const zip = Buffer.from('504b0304140000000000000000000000000000000000000000000000000061', 'hex')

describe('the type of a file', () => {
  it.each<[string, Uint8Array, string | undefined, string]>([
    ['a PNG that is called a text', aPng(1, 1), 'text/plain', 'image/png'],
    ['a GIF', aGif(1, 1), undefined, 'image/gif'],
    ['a JPEG that is called a PNG', aJpeg(1, 1), 'image/png', 'image/jpeg'],
    ['a PDF that is called an image', Buffer.from('%PDF-1.7\n%âã\n'), 'image/png', 'application/pdf'],
    ['a ZIP', zip, undefined, 'application/zip'],
    ['a ZIP that is called an image', zip, 'image/png', 'application/zip'],
    [
      'an office document in a ZIP',
      zip,
      'application/vnd.oasis.opendocument.text',
      'application/vnd.oasis.opendocument.text',
    ],
    ['a video', anMp4('isom', 1, 1), 'image/png', 'video/mp4'],
    ['sound in an MP4', anMp4('M4A ', 1, 1), undefined, 'audio/x-m4a'],
    ['a voice message of a browser', aWebm(1), 'audio/webm;codecs=opus', 'audio/webm'],
    ['a text', Buffer.from('olá, mundo'), undefined, 'text/plain'],
    ['a text that begins like a bitmap', Buffer.from('BMW, GIF and ID3'), undefined, 'text/plain'],
    ['a text with a kind', Buffer.from('{"a": 1}'), 'application/json', 'application/json'],
    ['a text that is called an image', Buffer.from('not an image'), 'image/png', 'text/plain'],
    ['an SVG, whatever it is called', Buffer.from('<svg onload="x()">'), 'image/png', 'image/svg+xml'],
    ['an SVG with a header', Buffer.from('<?xml version="1.0"?><svg></svg>'), undefined, 'image/svg+xml'],
    ['HTML that is called an image', Buffer.from('<script>x()</script>'), 'image/png', 'text/plain'],
    ['unknown bytes', Buffer.from([0, 1, 2, 3, 250]), undefined, 'application/octet-stream'],
    [
      'unknown bytes with a harmless claim',
      Buffer.from([0, 1, 250]),
      'application/x-ours',
      'application/x-ours',
    ],
    [
      'unknown bytes that are called an image',
      Buffer.from([0, 1, 250]),
      'image/png',
      'application/octet-stream',
    ],
    ['unknown bytes that are called HTML', Buffer.from([0, 1, 250]), 'text/html', 'application/octet-stream'],
    ['a claim that is none', Buffer.from([0, 1, 250]), 'x\r\nSet-Cookie: a=b', 'application/octet-stream'],
    ['nothing', Buffer.alloc(0), undefined, 'application/octet-stream'],
  ])('%s', async (_, bytes, claim, type) => {
    expect((await look(bytes, claim)).mimeType).toBe(type)
  })
})

describe('the size of an image', () => {
  it.each<[string, Buffer, number, number]>([
    ['PNG', aPng(640, 480), 640, 480],
    ['GIF', aGif(16, 9), 16, 9],
    ['JPEG', aJpeg(400, 300), 400, 300],
    ['JPEG that lies on its side', aJpeg(400, 300, 6), 300, 400],
  ])('%s', async (_, bytes, width, height) => {
    expect(await look(bytes)).toMatchObject({ width, height })
  })

  it('is not reported for an SVG, or for a file without one', async () => {
    const svg = await look(Buffer.from('<svg width="10" height="10"></svg>'))
    expect([svg.width, (await look(aPng(0, 0))).width]).toEqual([undefined, undefined])
  })
})

describe('the duration of a file', () => {
  it.each<[string, Buffer, number]>([
    ['WAV', aWav(8_000, 3), 3_000],
    ['FLAC', aFlac(44_100, 88_200), 2_000],
    ['MP3 of a constant bit rate', anMp3(16_000), 1_000],
    ['MP3 with a count of its frames', anMp3(4_170, 383), 10_005],
    ['Opus', anOpus(48_000 * 5), 5_000],
    ['MP4', anMp4('isom', 600, 900), 1_500],
    ['MP4 whose header is far behind', anMp4('isom', 1_000, 2_500, 700_000), 2_500],
    ['M4A', anMp4('M4A ', 44_100, 44_100), 1_000],
    ['WebM', aWebm(4_321), 4_321],
  ])('%s', async (_, bytes, durationMs) => {
    expect((await look(bytes)).durationMs).toBe(durationMs)
  })

  it('is not read from a truncated header', async () => {
    expect((await look(aWav(8_000, 1).subarray(0, 30))).durationMs).toBeUndefined()
    expect((await look(anMp4('isom', 1, 1).subarray(0, 120))).durationMs).toBeUndefined()
  })
})

describe('malicious bytes', () => {
  const samples = [
    aPng(2, 2),
    aGif(2, 2),
    aJpeg(2, 2),
    aWav(100, 1),
    aFlac(44_100, 100),
    anMp3(900),
    anOpus(9),
    anMp4('isom', 1, 1),
    aWebm(1),
    zip,
    Buffer.from('RIFF\0\0\0\0WEBPVP8X'),
    Buffer.from('\0\0\0\x1cftypavif\0\0\0\0', 'latin1'),
    Buffer.from('ID3\x04\0\0\x7f\x7f\x7f\x7f', 'latin1'),
    Buffer.from('BM'),
  ]

  it('result in some type, never in an error, for any change of them', async () => {
    const mangled = fc
      .tuple(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 24 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(300),
      )
      .map(([sample, changes, tail, cut]) => {
        const bytes = Buffer.concat([sample.subarray(0, Math.max(4, sample.length - cut)), tail])
        for (const [at, byte] of changes) if (at > 3 && at < bytes.length) bytes[at] = byte
        return bytes
      })
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(mangled, fc.uint8Array({ maxLength: 300 })),
        fc.string(),
        async (bytes, claim) => {
          const found = await look(bytes, claim)
          expect(found.mimeType).toMatch(/^[a-z]+\/[a-z0-9.+_-]+$/)
          for (const value of [found.width, found.height, found.durationMs]) {
            expect(value === undefined || Number.isSafeInteger(value)).toBe(true)
          }
        },
      ),
      { numRuns: 1_500 },
    )
  })
})
