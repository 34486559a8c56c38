import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRequest } from '../../protocol/codec.ts'
import { codeOf, peekHead } from '../../protocol/frame-head.ts'
import { type RequestName, requests } from '../../protocol/requests.ts'
import { groupOf } from '../../protocol/routed-group.ts'
import { toPositional } from '../../protocol/schema.ts'
import { arbitraryRequest, holds, requestNames } from './arbitrary.ts'
import { arbitraryEncoding, integerForms } from './encodings.ts'
import { refusalOf } from './refusal.ts'

/** Any valid request of this name, in any encoding. */
function arbitraryFrame(name: RequestName): fc.Arbitrary<Uint8Array> {
  const { code, fields } = requests[name]
  return arbitraryRequest(name).chain((request) =>
    arbitraryEncoding(toPositional(fields, request.fields, [code, request.ref])),
  )
}

/** The group that the router reads from the bytes, or null. */
function routedGroup(frame: Uint8Array): string | null {
  const head = peekHead(frame)
  if (!head || head.idEnd === head.idStart) return null
  return Buffer.from(frame.subarray(head.idStart, head.idEnd)).toString().split(':')[0] as string
}

// TRN-4, TRN-9
describe.each(requestNames)('%s in any encoding', (name) => {
  it('has one code, one ref and one group for the router and the decoder', () => {
    holds(
      fc.property(arbitraryFrame(name), (frame) => {
        const refusal = refusalOf(frame)
        if (refusal) throw new Error(`refused: ${refusal.message}`)
        const request = decodeRequest(frame)
        expect(request.event).toBe(name)
        expect(peekHead(frame)).toMatchObject({ code: requests[name].code, ref: request.ref })
        if (requests[name].route === 'group' && routedGroup(frame) !== null) {
          expect(groupOf(request)).toBe(routedGroup(frame))
        } else if (requests[name].route === 'group') {
          expect(() => groupOf(request)).toThrow('must contain at least one item')
        }
      }),
      300,
    )
  })
})

describe('an id that the decoder rejects', () => {
  const bin = [0xc4, 1, 0x67]
  const overlong = [0xa2, 0xc1, 0xa7]
  const surrogate = [0xa3, 0xed, 0xa0, 0xbd]

  it.each([
    ['bytes', bin],
    ['a list in a list', [0x91, 0x91, 0xa1, 0x67]],
    ['a map', [0x81, 0xa1, 0x67, 0xc0]],
    ['an overlong form of g', overlong],
    ['half a surrogate pair', surrogate],
    ['an empty list', [0x90]],
    ['a string of 200 bytes', [0xd9, 200, ...new Array<number>(200).fill(0x67)]],
  ])('opens no actor: %s', (_, id) => {
    for (const code of [5, 14, 32, 41]) {
      expect(refusalOf(Uint8Array.from([0x93, code, 7, ...id]))?.code ?? 'no group').toMatch(
        /bad_request|no group/,
      )
    }
  })

  it('is rejected as text in every position', () => {
    for (const bytes of [
      overlong,
      surrogate,
      [0xa1, 0x80],
      [0xa4, 0xf4, 0x90, 0x80, 0x80],
      [0xa2, 0xe2, 0x82],
    ]) {
      const frame = Uint8Array.from([0x95, 9, 7, 0xa1, 0x67, ...bytes, 0xc0])
      expect(refusalOf(frame)).toMatchObject({ code: 'bad_request', field: undefined })
    }
  })
})

describe('the code and the ref', () => {
  it('are read in every width and sign', () => {
    for (const code of [5n, 127n, 128n, 131n, 200n, 255n]) {
      for (const ref of [
        0n,
        127n,
        128n,
        255n,
        256n,
        65_535n,
        65_536n,
        0x7fff_ffffn,
        0x8000_0000n,
        0xffff_ffffn,
      ]) {
        for (const codeForm of integerForms(code)) {
          for (const refForm of integerForms(ref)) {
            const frame = Buffer.concat([Uint8Array.of(0x93), codeForm, refForm, Uint8Array.of(0xa1, 0x67)])
            const head = peekHead(frame)
            expect(head).toMatchObject({ code: Number(code), ref: Number(ref) })
            expect(codeOf(frame)).toBe(Number(code))
            expect(frame.subarray(head?.idStart, head?.idEnd).toString()).toBe('g')
          }
        }
      }
    }
  })

  it('are no floats, not negative, and within their range', () => {
    const one = Buffer.from([0xca, 0x3f, 0x80, 0, 0])
    const negative = [Uint8Array.of(0xff), Uint8Array.of(0xd0, 0x80), Uint8Array.of(0xd1, 0xff, 0xff)]
    for (const bad of [one, ...negative]) {
      expect(peekHead(Buffer.concat([Uint8Array.of(0x92), bad, Uint8Array.of(7)]))).toBeNull()
      expect(peekHead(Buffer.concat([Uint8Array.of(0x92, 5), bad]))).toBeNull()
    }
    for (const tooLarge of integerForms(0x1_0000_0000n)) {
      expect(peekHead(Buffer.concat([Uint8Array.of(0x92, 5), tooLarge]))).toBeNull()
    }
  })
})

describe('message_read with an empty list', () => {
  it('is routed by its group', () => {
    for (const list of [[0x90], [0xdc, 0, 0], [0xdd, 0, 0, 0, 0]]) {
      const frame = Uint8Array.from([0x94, 33, 7, ...list, 0xd9, 1, 0x67])
      expect(routedGroup(frame)).toBe('g')
      expect(groupOf(decodeRequest(frame))).toBe('g')
    }
  })
})
