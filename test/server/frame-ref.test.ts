import { describe, expect, it } from 'vitest'
import { packFrame } from '../../protocol/codec.ts'
import { codeOf, peekHead } from '../../protocol/frame-head.ts'
import { refOf, withRef } from '../../server/frame-ref.ts'

const refs = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0x8000_0000, 0xffff_ffff]

// TRN-7: an event's code has one byte or two, so no reader uses a fixed offset.
describe.each([64, 127, 128, 132, 255])('an event of code %i', (code) => {
  it('yields its code and its ref, with few fields and with many', () => {
    for (const ref of refs) {
      for (const fields of [[], ['g'], new Array<string>(20).fill('g')]) {
        const frame = packFrame([code, ref, ...fields])
        expect([codeOf(frame), refOf(frame)]).toEqual([code, ref])
      }
    }
  })

  it('gets another ref and is otherwise unchanged', () => {
    for (const ref of refs) {
      for (const fields of [['g'], new Array<string>(20).fill('g')]) {
        const frame = packFrame([code, 0, ...fields])
        const answer = withRef(frame, ref)
        expect([codeOf(answer), refOf(answer)]).toEqual([code, ref])
        const [before, after] = [peekHead(frame), peekHead(answer)]
        expect(Buffer.from(answer.subarray(after?.idStart))).toEqual(frame.subarray(before?.idStart))
      }
    }
  })
})
