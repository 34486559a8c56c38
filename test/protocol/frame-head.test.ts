import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { encodeRequest } from '../../protocol/codec.ts'
import { peekHead } from '../../protocol/frame-head.ts'
import { arbitraryRequest, holds } from './arbitrary.ts'

const plain = new Packr({ useRecords: false })

/** What a full decode says about the head of a frame. */
function idOf(frame: Uint8Array): string | null {
  const head = peekHead(frame)
  if (!head || head.idEnd === 0) return null
  return Buffer.from(frame.subarray(head.idStart, head.idEnd)).toString('utf8')
}

describe('peekHead', () => {
  it('reads an array of any size of header', () => {
    const tail = [5, 7, 0xa1, 0x67]
    for (const header of [[0x93], [0xdc, 0, 3], [0xdd, 0, 0, 0, 3]]) {
      const frame = Uint8Array.from([...header, ...tail])
      expect(peekHead(frame)).toMatchObject({ code: 5, ref: 7 })
      expect(idOf(frame)).toBe('g')
    }
  })

  it('finds an id of any length', () => {
    for (const length of [1, 31, 32, 64]) {
      const groupId = 'g'.repeat(length)
      expect(idOf(encodeRequest('join_group', 7, { groupId }))).toBe(groupId)
    }
  })

  it('finds the first id of a list', () => {
    for (const length of [1, 15, 16, 70_000]) {
      expect(idOf(plain.pack([32, 7, new Array(length).fill('g:1')]))).toBe('g:1')
    }
    expect(idOf(plain.pack([32, 7, []]))).toBeNull()
  })

  it('has no id if the first field is not a short string', () => {
    for (const first of [null, 5, true, [5], [['g']], { g: 1 }, Buffer.from('g'), 'g'.repeat(256)]) {
      expect(peekHead(plain.pack([5, 7, first]))).toEqual({ code: 5, ref: 7, idStart: 0, idEnd: 0 })
    }
    expect(peekHead(plain.pack([2, 7]))).toEqual({ code: 2, ref: 7, idStart: 0, idEnd: 0 })
  })

  it('is null if the frame does not start with a code and a ref', () => {
    for (const value of [
      5,
      'g',
      null,
      {},
      [],
      [5],
      ['g', 7],
      [5, 'g'],
      [5, -1],
      [5, 1.5],
      [5, 2 ** 32],
      [-1, 7],
    ]) {
      expect([value, peekHead(plain.pack(value))]).toEqual([value, null])
    }
    expect(peekHead(new Uint8Array())).toBeNull()
  })

  it('never reads past the frame', () => {
    holds(
      fc.property(arbitraryRequest('join_group'), ({ ref, fields }) => {
        const frame = encodeRequest('join_group', ref, fields)
        for (let length = 0; length < frame.length; length++) {
          const head = peekHead(frame.subarray(0, length))
          if (head) expect(head.idEnd).toBe(0)
        }
      }),
    )
  })

  it('accepts any bytes without an exception, and returns offsets inside them', () => {
    holds(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const head = peekHead(bytes)
        if (!head) return
        expect(head.idStart).toBeLessThanOrEqual(head.idEnd)
        expect(head.idEnd).toBeLessThanOrEqual(bytes.length)
        expect(head.ref).toBe(head.ref >>> 0)
      }),
      5_000,
    )
  })
})
