import { Packr, Unpackr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { decodeEvent, decodeRequest, encodeEvent, encodeRequest } from '../../protocol/codec.ts'
import { toMessageId } from '../../protocol/ids.ts'
import { refusalOf } from './refusal.ts'

/** msgpack by another hand: integers above 32 bits show as bigint, floats as number. */
const strict = new Unpackr({ useRecords: false, int64AsType: 'bigint' })
const plain = new Packr({ useRecords: false })
const late = 1_767_225_600_000

const message = {
  messageId: toMessageId('g', 2 ** 33),
  groupId: 'g',
  seq: 2 ** 33,
  senderId: 'ana',
  senderName: 'Ana',
  type: 'text' as const,
  content: 'olá',
  createdAt: late,
}

describe('a msgpack frame', () => {
  it('is the code, the ref and the fields in the order of the table', () => {
    const frame = encodeRequest('send_message', 7, { groupId: 'kitchen', content: 'olá', tempId: 't1' })
    expect(strict.unpack(frame)).toEqual([9, 7, 'kitchen', 'olá', null, null, 't1'])
  })

  it('is these bytes', () => {
    const frame = encodeRequest('join_group', 300, { groupId: 'kitchen' })
    expect(Buffer.from(frame).toString('hex')).toBe('9305cd012ca76b69746368656e')
  })

  it('omits trailing absent fields, and writes nil for an absent one in between', () => {
    expect(strict.unpack(encodeRequest('get_history', 1, { groupId: 'g' }))).toEqual([10, 1, 'g'])
    expect(strict.unpack(encodeRequest('get_history', 1, { groupId: 'g', after: 5 }))).toEqual([
      10,
      1,
      'g',
      null,
      5,
    ])
    expect(strict.unpack(encodeRequest('ping', 1, {}))).toEqual([2, 1])
    expect(strict.unpack(encodeEvent('ok', 1, { result: undefined }))).toEqual([65, 1])
  })

  it('contains records as positional arrays, with the same rule for absent fields', () => {
    const wire = strict.unpack(encodeEvent('new_message', 0, { message: { ...message, replyToId: 'g:1' } }))
    const id = `g:${2 ** 33}`
    expect(wire).toEqual([
      73,
      0,
      [id, 'g', 2n ** 33n, 'ana', 'Ana', 'text', 'olá', BigInt(late), null, 'g:1'],
    ])
  })
})

describe('an integer above 32 bits', () => {
  const big = BigInt(late)

  it('is encoded as an integer in a field, a tuple, a record and a list of records', () => {
    expect(strict.unpack(encodeRequest('ping', 1, { t: late }))).toEqual([2, 1, big])
    expect(strict.unpack(encodeRequest('resume', 1, { groups: [['g', late]] }))).toEqual([
      11,
      1,
      [['g', big]],
    ])
    const history = {
      groupId: 'g',
      messages: [message],
      hasMore: false,
      gaps: [{ seq: late, from: 1, to: late }],
    }
    const [, , , [[, , seq, , , , , createdAt]], , [gap]] = strict.unpack(encodeEvent('history', 1, history))
    expect([seq, createdAt, gap]).toEqual([2n ** 33n, big, [big, 1, big]])
  })

  it('is encoded as an integer in the result of an ok', () => {
    expect(
      strict.unpack(encodeEvent('ok', 1, { result: { expiresAt: late, ratio: 1.5, by: 'ana' } })),
    ).toEqual([65, 1, { expiresAt: big, ratio: 1.5, by: 'ana' }])
  })

  it('is decoded to a number', () => {
    expect(decodeRequest(encodeRequest('ping', 1, { t: Number.MAX_SAFE_INTEGER })).fields).toEqual({
      t: Number.MAX_SAFE_INTEGER,
    })
    expect(decodeEvent(encodeEvent('ok', 1, { result: { expiresAt: late } }))?.fields).toEqual({
      result: { expiresAt: late },
    })
  })

  it('is accepted as a float if it is a safe integer', () => {
    expect(decodeRequest(plain.pack([2, 1, late])).fields).toEqual({ t: late })
    expect(refusalOf(plain.pack([2, 1, 2 ** 53]))).toMatchObject({ field: 't' })
    expect(refusalOf(plain.pack([2, 1, 2n ** 64n - 1n]))).toMatchObject({ field: 't' })
  })
})

describe('a reader', () => {
  it('ignores the fields that a newer writer adds at the end', () => {
    const newer = plain.pack([10, 1, 'g', null, 5, 20, 'new', { more: [1] }])
    expect(decodeRequest(newer).fields).toEqual({ groupId: 'g', after: 5, limit: 20 })
    const event = plain.pack([78, 0, late, 'new'])
    expect(decodeEvent(event)?.fields).toEqual({ expiresAt: late })
    const record = plain.pack([75, 1, 't1', ['overloaded', 'full', 50, 'new'], late])
    expect(decodeEvent(record)?.fields).toMatchObject({
      error: { code: 'overloaded', message: 'full', retryAfterMs: 50 },
    })
  })

  it('reads nil as absent', () => {
    expect(decodeRequest(plain.pack([10, 1, 'g', null, null, null])).fields).toEqual({ groupId: 'g' })
  })

  it('returns null for an event it does not know', () => {
    expect(decodeEvent(plain.pack([127, 0, 'new']))).toBeNull()
  })
})

describe('a request', () => {
  it('of an unknown code is an unknown event', () => {
    for (const code of [0, 63, 64, 127, 255, -1, 1.5, 2 ** 40, '9', null, true, [9]]) {
      expect(refusalOf(plain.pack([code, 1, 'g']))).toMatchObject({ code: 'unknown_event' })
    }
    expect(refusalOf(plain.pack([]))).toMatchObject({ code: 'unknown_event' })
  })

  it('has an unsigned 32-bit ref', () => {
    for (const ref of [-1, 1.5, 2 ** 32, Number.NaN, '1', null, [1], { ref: 1 }]) {
      expect(refusalOf(plain.pack([5, ref, 'g']))).toMatchObject({ code: 'bad_request', field: 'ref' })
    }
  })

  it('is an array', () => {
    for (const frame of [5, 'join_group', { code: 5 }, null, true, Buffer.from('{}')]) {
      expect(refusalOf(plain.pack(frame))).toMatchObject({ code: 'bad_request', field: undefined })
    }
  })

  it('is rejected if a field has text instead of bytes', () => {
    const text = Buffer.from('{"event":"join_group","ref":1,"data":{"groupId":"g"}}')
    expect(refusalOf(text)).toMatchObject({ code: 'bad_request' })
  })
})
