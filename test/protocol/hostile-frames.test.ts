import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { decodeRequest, encodeRequest } from '../../protocol/codec.ts'
import { limits } from '../../protocol/limits.ts'
import { arbitraryRequest, holds, requestNames } from './arbitrary.ts'
import { refusalOf } from './refusal.ts'

const MiB = 1024 * 1024
const plain = new Packr({ useRecords: false })
const good = encodeRequest('send_message', 7, { groupId: 'kitchen', content: 'olá', tempId: 't1' })

/** A frame `[5, 7, <bytes>]`: a join_group whose one field is whatever the bytes say. */
function withGroupId(...bytes: number[]): Uint8Array {
  return Uint8Array.from([0x93, 5, 7, ...bytes])
}

/** The error for a frame that is not plain msgpack. */
const notPlain = { code: 'bad_request', field: undefined, message: 'the frame must be plain msgpack' }

describe('a truncated frame', () => {
  it.each(requestNames)('of %s is rejected at every length', (name) => {
    holds(
      fc.property(arbitraryRequest(name), ({ ref, fields }) => {
        const frame = encodeRequest(name, ref, fields)
        for (let length = 0; length < Math.min(frame.length, 200); length++) {
          expect(refusalOf(frame.slice(0, length))?.code).toBe('bad_request')
        }
      }),
      20,
    )
  })

  it('is rejected even if the memory after it contains the rest', () => {
    for (let length = 0; length < good.length; length++) {
      expect(refusalOf(good.subarray(0, length))?.code).toBe('bad_request')
    }
  })

  it('is rejected with an extra byte', () => {
    expect(refusalOf(Uint8Array.from([...good, 0xc0]))?.code).toBe('bad_request')
  })
})

describe('bytes at random', () => {
  it('are accepted or rejected, without any other effect', () => {
    holds(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void refusalOf(bytes)),
      5_000,
    )
  })

  it('in the place of the fields are accepted or rejected, without any other effect', () => {
    holds(
      fc.property(
        fc.constantFrom(...requestNames.keys()),
        fc.uint8Array({ maxLength: 100 }),
        (at, bytes) => void refusalOf(Uint8Array.from([0x9f, at + 1, 1, ...bytes])),
      ),
      5_000,
    )
  })

  it('of one wrong byte anywhere are accepted or rejected, without any other effect', () => {
    for (let at = 0; at < good.length; at++) {
      for (let byte = 0; byte <= 0xff; byte++) {
        const frame = Uint8Array.from(good)
        frame[at] = byte
        refusalOf(frame)
      }
    }
  })
})

describe('a frame that is expensive to decode', () => {
  it('is rejected if it is nested too deep', () => {
    for (const opening of [0x91, 0x81]) {
      const bomb = new Uint8Array(MiB).fill(opening)
      expect(refusalOf(bomb)).toMatchObject(notPlain)
    }
    expect(refusalOf(withGroupId(...new Array<number>(100).fill(0x91), 1))).toMatchObject(notPlain)
  })

  it('may be nested 16 levels deep, and no deeper', () => {
    for (const opening of [[0x91], [0xdc, 0, 1], [0x81, 0xa1, 0x61]]) {
      const nested = (levels: number) =>
        withGroupId(...Array.from({ length: levels }, () => opening).flat(), 1)
      // The frame is a level of its own; what is deeper is refused for its type.
      expect(refusalOf(nested(15))).toMatchObject({ code: 'bad_request', field: 'groupId' })
      expect(refusalOf(nested(16))).toMatchObject(notPlain)
    }
  })

  it('is rejected if it claims more items than it has bytes', () => {
    for (const claim of [0xdd, 0xdf, 0xdb, 0xc6]) {
      expect(refusalOf(withGroupId(claim, 0xff, 0xff, 0xff, 0xff))).toMatchObject(notPlain)
      expect(refusalOf(Uint8Array.from([claim, 0x01, 0xff, 0xff, 0xff]))).toMatchObject(notPlain)
    }
  })

  it('is rejected if 60 values reference each other, two to one', () => {
    // Expanded, the last of them would be 2^60 lists.
    const frame = [0xdc, 0, 60]
    for (let id = 0; id < 60; id++) {
      const pointer = [0xd6, 0x70, 0, 0, 0, id - 1]
      frame.push(0xd6, 0x69, 0, 0, 0, id, ...(id === 0 ? [0x90] : [0x92, ...pointer, ...pointer]))
    }
    expect(refusalOf(Uint8Array.from(frame))).toMatchObject(notPlain)
    expect(refusalOf(Uint8Array.from([...frame, 0]))).toMatchObject(notPlain)
  })

  it('is rejected if it contains any extension type', () => {
    for (let type = 0; type <= 0xff; type++) {
      expect(refusalOf(withGroupId(0xd4, type, 0))).toMatchObject(notPlain)
      expect(refusalOf(withGroupId(0xd5, type, 0, 0))).toMatchObject(notPlain)
      expect(refusalOf(withGroupId(0xd6, type, 0, 0, 0, 0x90))).toMatchObject(notPlain)
      expect(refusalOf(withGroupId(0xc7, 1, type, 0x90))).toMatchObject(notPlain)
    }
    expect(refusalOf(withGroupId(0xc1))).toMatchObject(notPlain)
  })

  it('is rejected, and the field is named, if a string is 1 MiB long', () => {
    const tooMuch = 'a'.repeat(MiB)
    const content = plain.pack([9, 7, 'kitchen', tooMuch, null, null, 't1'])
    expect(refusalOf(content)).toMatchObject({ code: 'bad_request', field: 'content' })
    expect(refusalOf(plain.pack([5, 7, tooMuch]))).toMatchObject({ code: 'bad_request', field: 'groupId' })
    expect(refusalOf(plain.pack([9, tooMuch]))).toMatchObject({ code: 'bad_request', field: 'ref' })
    expect(refusalOf(plain.pack([tooMuch]))).toMatchObject({ code: 'unknown_event' })
  })

  it('repeats nothing of the frame in the error', () => {
    const secret = 'hunter2-hunter2'
    for (const frame of [
      [9, 7, secret.repeat(9)],
      [12, 7, { [secret]: secret }],
      [3, 7, secret],
    ]) {
      expect(refusalOf(plain.pack(frame))?.message).not.toContain(secret)
    }
  })
})

describe('a rejected frame', () => {
  it('does not change the codec', () => {
    const hostile = [
      new Uint8Array(MiB).fill(0x91),
      good.slice(0, 9),
      // A record definition: in msgpackr's own dialect, what 0x47 means from here on.
      withGroupId(0xd4, 0x72, 0x47, 0x91, 0xa1, 0x61, 0x05),
      withGroupId(0xd5, 0x72, 0x47, 0x01, 0x91, 0xa1, 0x61, 0x05),
    ]
    const request = { groups: [['g', 0x47]] as [string, number][] }
    for (const frame of hostile) {
      expect(refusalOf(frame)?.code).toBe('bad_request')
      expect(decodeRequest(encodeRequest('resume', 0x47, request))).toEqual({
        event: 'resume',
        ref: 0x47,
        fields: request,
      })
    }
  })
})

describe('text', () => {
  // IDN-1: two different byte strings never become one.
  it('is rejected if its bytes are ill-formed, and otherwise decoded exactly', () => {
    const content = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }).map((text) => Buffer.from(text)),
    )
    holds(
      fc.property(content, (bytes) => {
        const length = [bytes.length >> 8, bytes.length & 0xff]
        const frame = Uint8Array.from([
          0x97,
          9,
          7,
          0xa1,
          0x67,
          0xda,
          ...length,
          ...bytes,
          0xc0,
          0xc0,
          0xa1,
          0x74,
        ])
        if (!isUtf8(bytes)) expect(refusalOf(frame)).toMatchObject(notPlain)
        else {
          const { fields } = decodeRequest(frame) as { fields: { content: string } }
          expect(Buffer.from(fields.content)).toEqual(Buffer.from(bytes))
        }
      }),
      2_000,
    )
  })

  it('is limited in bytes, not in characters', () => {
    const text = 'é'.repeat(limits.contentBytes / 2)
    const send = (content: string) => encodeRequest('send_message', 1, { groupId: 'g', content, tempId: 't' })
    expect(refusalOf(send(text))).toBeNull()
    expect(refusalOf(send(`${text}a`))).toMatchObject({ field: 'content' })
  })
})
