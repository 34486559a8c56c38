import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupId, messageId, parseMessageId, toMessageId, userId } from '../../protocol/ids.ts'
import type { FieldType } from '../../protocol/schema.ts'
import { refusalOf } from '../../protocol/validation.ts'
import { holds } from './arbitrary.ts'

const accepts = (field: FieldType, value: unknown) => refusalOf(field, value) === undefined

describe('a groupId', () => {
  it('is 1 to 64 of A-Z a-z 0-9 _ -', () => {
    for (const id of ['g', 'A-z_09', 'x'.repeat(64)]) expect(accepts(groupId, id)).toBe(true)
    for (const id of ['', 'x'.repeat(65), 'a b', 'a:1', 'a/b', 'á', 'a\n', '\u0000', 5]) {
      expect([id, accepts(groupId, id)]).toEqual([id, false])
    }
  })
})

describe('a messageId', () => {
  // IDN-6
  it('names its group and its seq', () => {
    expect(toMessageId('kitchen', 41)).toBe('kitchen:41')
    expect(parseMessageId('kitchen:41')).toEqual({ groupId: 'kitchen', seq: 41 })
  })

  it('comes apart into what it was made of', () => {
    const group = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
    const seq = fc.integer({ min: 1, max: 999_999_999_999_999 })
    holds(
      fc.property(group, seq, (groupId, seq) => {
        const id = toMessageId(groupId, seq)
        expect(accepts(messageId, id)).toBe(true)
        expect(parseMessageId(id)).toEqual({ groupId, seq })
      }),
    )
  })

  it('is refused where it is anything else', () => {
    const wrong = ['', 'g', 'g:', ':1', 'g:0', 'g:01', 'g:-1', 'g:1.5', 'g:1e3', 'g:1:2', 'g:1 ', 'g:١', 5]
    for (const id of wrong) expect([id, accepts(messageId, id)]).toEqual([id, false])
  })

  it('never holds a number that JavaScript cannot count to', () => {
    holds(
      fc.property(fc.stringMatching(/^g:[1-9][0-9]{0,16}$/), (id) => {
        if (accepts(messageId, id)) expect(toMessageId('g', parseMessageId(id).seq)).toBe(id)
      }),
      1_000,
    )
    expect(accepts(messageId, 'g:9999999999999999')).toBe(false)
  })
})

describe('a userId', () => {
  it('is 1 to 128 bytes', () => {
    for (const id of ['u', 'é'.repeat(64), '名'.repeat(42)]) expect(accepts(userId, id)).toBe(true)
    for (const id of ['', 'é'.repeat(65), '名'.repeat(43), 'x'.repeat(129)])
      expect(accepts(userId, id)).toBe(false)
  })
})
