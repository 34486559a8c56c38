import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { Packr, Unpackr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { decodeEvent, encodeRequest } from '../../client/codec.ts'
import { pack, unpack } from '../../client/msgpack.ts'
import { decodeRequest, encodeEvent } from '../../protocol/codec.ts'
import { arbitraryEvent, arbitraryRequest, eventNames, holds, requestNames } from '../protocol/arbitrary.ts'
import { arbitraryEncoding } from '../protocol/encodings.ts'

const packer = new Packr({ useRecords: false })
const unpacker = new Unpackr({ useRecords: false, int64AsType: 'number', mapsAsObjects: true })

const leaf = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.uint8Array({ maxLength: 300 }),
)
const key = fc.string().filter((name) => name !== '__proto__')
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
}))
/** Bytes of msgpackr in Node are a `Buffer`. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
}

describe('msgpack of the SDK', () => {
  // TRN-4: any library reads and writes the frames.
  it('writes what another library reads', () => {
    holds(
      fc.property(anyValue, (value) => {
        expect(plain(unpacker.unpack(pack(value)))).toEqual(value)
      }),
    )
  })

  it('reads what another library writes', () => {
    holds(
      fc.property(anyValue, (value) => {
        expect(plain(unpack(packer.pack(value)))).toEqual(value)
      }),
    )
  })

  it.each([31, 32, 255, 256, 65_535, 65_536])('writes and reads %i of anything', (length) => {
    const values = [
      'x'.repeat(length),
      'é'.repeat(length),
      new Uint8Array(length).fill(7),
      new Array<number>(length).fill(-300),
      Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i])),
    ]
    // `toEqual` takes a second for a list of this length.
    expect(isDeepStrictEqual(plain(unpacker.unpack(pack(values))), values)).toBe(true)
    expect(isDeepStrictEqual(plain(unpack(pack(values))), values)).toBe(true)
  })

  it('reads every encoding of a value', () => {
    const parts = fc.array(
      fc.oneof(fc.nat(), fc.maxSafeNat(), fc.string({ unit: 'grapheme' }), fc.uint8Array()),
    )
    holds(
      fc.property(
        parts.chain((value) => fc.tuple(fc.constant(value), arbitraryEncoding(value))),
        ([value, bytes]) => {
          expect(plain(unpack(bytes))).toEqual(value)
        },
      ),
    )
  })

  it.each([
    ['a float of 32 bits', [0xca, 0x3f, 0xc0, 0, 0], 1.5],
    ['a negative fixed integer', [0xff], -1],
    ['a list with a length of 32 bits', [0xdd, 0, 0, 0, 1, 7], [7]],
    ['a map with a length of 16 and of 32 bits', [0xde, 0, 1, 0xa1, 97, 0xdf, 0, 0, 0, 0], { a: {} }],
    ['extension types as null', [0x93, 0xd6, 0xff, 1, 2, 3, 4, 0xc7, 1, 5, 9, 1], [null, null, 1]],
    ['an extension type of one byte as null', [0x92, 0xd4, 5, 9, 1], [null, 1]],
    ['an extension type of 16 bytes as null', [0x92, 0xd8, 5, ...Array(16).fill(9), 1], [null, 1]],
    ['an extension type with a length of 16 bits as null', [0x92, 0xc8, 0, 2, 5, 9, 9, 1], [null, 1]],
    ['an extension type with a length of 32 bits as null', [0x92, 0xc9, 0, 0, 0, 2, 5, 9, 9, 1], [null, 1]],
    ['a byte order mark as a character', [0xa3, 0xef, 0xbb, 0xbf], '\ufeff'],
  ])('reads %s', (_, bytes, value) => {
    expect(unpack(Uint8Array.from(bytes))).toEqual(value)
  })

  it('does not let a key replace a prototype', () => {
    const value = unpack(
      packer.pack(
        new Map<string, unknown>([
          ['__proto__', { admin: true }],
          ['a', 1],
        ]),
      ),
    )
    expect(value).toEqual({ a: 1 })
    expect((value as { readonly admin?: true }).admin).toBeUndefined()
  })

  it('writes a BigInt as an integer of 64 bits, and none that is wider', () => {
    for (const value of [0n, 2n ** 64n - 1n, -(2n ** 63n)]) {
      expect(new Unpackr({ int64AsType: 'bigint' }).unpack(pack(value))).toEqual(value)
    }
    expect(() => pack(2n ** 64n)).toThrow(RangeError)
    expect(() => pack(-(2n ** 63n) - 1n)).toThrow(RangeError)
  })

  it('rejects values that msgpack does not have', () => {
    const circle: unknown[] = []
    circle.push(circle, circle)
    expect(() => pack(circle)).toThrow(RangeError)
    expect(() => pack(() => 0)).toThrow(TypeError)
  })

  it('rejects a frame that is cut, or that has bytes behind the value', () => {
    holds(
      fc.property(anyValue, fc.nat(), (value, at) => {
        const frame = pack(value)
        expect(() => unpack(frame.subarray(0, at % frame.length))).toThrow(RangeError)
        expect(() => unpack(Buffer.concat([frame, Uint8Array.of(0)]))).toThrow(RangeError)
      }),
    )
  })
})

describe('the codec of the SDK', () => {
  it.each(requestNames)('writes the request %s as the server reads it', (name) => {
    holds(
      fc.property(arbitraryRequest(name), (request) => {
        const decoded = decodeRequest(encodeRequest(name, request.ref, request.fields))
        expect(plain(decoded)).toEqual(plain(request))
      }),
    )
  })

  it.each(eventNames)('reads the event %s as the server writes it', (name) => {
    holds(
      fc.property(arbitraryEvent(name), (event) => {
        expect(plain(decodeEvent(encodeEvent(name, event.ref, event.fields)))).toEqual(plain(event))
      }),
    )
  })
})
