import fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { encodeEvent } from '../../protocol/codec.ts'
import { eventFromJson, eventToJson, refOf, requestFromJson } from '../../protocol/json-codec.ts'
import { refusalOfJson } from './refusal.ts'

const json = JSON.stringify

describe('a JSON request', () => {
  it('is an object with an event, a ref and data', () => {
    for (const text of ['', 'nonsense', '[5,1,"g"]', '"join_group"', 'null', '7', '{"event":']) {
      expect(refusalOfJson(text)).toMatchObject({ code: 'bad_request', field: undefined })
    }
    for (const event of ['nonsense', 'constructor', '__proto__', 'new_message', 5, null, undefined]) {
      expect(refusalOfJson(json({ event, ref: 1, data: {} }))).toMatchObject({ code: 'unknown_event' })
    }
    for (const ref of [-1, 1.5, 2 ** 32, '1', null, undefined]) {
      expect(refusalOfJson(json({ event: 'ping', ref, data: {} }))).toMatchObject({ field: 'ref' })
    }
    for (const data of [[], 'groupId', 5, null, undefined]) {
      expect(refusalOfJson(json({ event: 'ping', ref: 1, data }))).toMatchObject({ field: 'data' })
    }
    expect(refusalOfJson(json({ event: 'ping', ref: 1, data: {} }))).toBeNull()
  })

  it('may contain fields that the table does not know', () => {
    expect(refusalOfJson(json({ event: 'ping', ref: 1, data: { more: [1] }, also: 1 }))).toBeNull()
  })

  it('is rejected if it is nested too deep, and the next one is accepted', () => {
    for (const depth of [100, 10_000, 500_000]) {
      const bomb = `${'['.repeat(depth)}${']'.repeat(depth)}`
      const text = `{"event":"join_group","ref":1,"data":{"groupId":${bomb}}}`
      expect(refusalOfJson(text)?.code).toBe('bad_request')
      expect(refusalOfJson(json({ event: 'join_group', ref: 1, data: { groupId: 'g' } }))).toBeNull()
    }
  })

  it('with a lone surrogate is rejected, not changed', () => {
    const text = '{"event":"send_message","ref":1,"data":{"groupId":"g","content":"a\\ud800","tempId":"t"}}'
    expect(refusalOfJson(text)).toMatchObject({ code: 'bad_request', field: 'content' })
  })
})

describe('refOf', () => {
  it('returns the ref of a rejected frame', () => {
    expect(refOf('{"event":"nonsense","ref":7}')).toBe(7)
  })

  it('is 0 if there is none', () => {
    for (const text of ['', 'nonsense', 'null', '5', '[]', '{"ref":-1}', '{"ref":"7"}', '{}']) {
      expect(refOf(text)).toBe(0)
    }
  })
})

describe('a JSON event', () => {
  it('is the msgpack event, by name', () => {
    const frame = encodeEvent('pong', 7, { t: 1, serverTime: 1_767_225_600_000 })
    expect(eventToJson(frame)).toBe('{"event":"pong","ref":7,"data":{"t":1,"serverTime":1767225600000}}')
  })

  it('is null if this version does not know it', () => {
    for (const event of ['from_the_future', 'constructor', '__proto__', 'join_group']) {
      expect(eventFromJson(json({ event, ref: 0, data: {} }))).toBeNull()
    }
  })
})

describe('bytes as base64', () => {
  const fileOf = (file: string) => {
    const text = JSON.stringify({ event: 'upload_file', ref: 1, data: { file } })
    return new Unpackr({ useRecords: false }).unpack(requestFromJson(text))[3]
  }

  it('are those that were encoded, padded or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const base64 = Buffer.from(bytes).toString('base64')
        for (const text of [base64, base64.replace(/=+$/, '')]) {
          expect(Buffer.from(fileOf(text))).toEqual(Buffer.from(bytes))
        }
      }),
    )
  })

  it('are accepted only if the standard decoder accepts them', () => {
    const digits = fc.string({
      unit: fc.constantFrom('A', 'b', '+', '/', '=', ' ', '-', '%', '9'),
      maxLength: 12,
    })
    fc.assert(
      fc.property(digits, (text) => {
        let expected: unknown = text
        try {
          expected = Buffer.from(atob(text), 'latin1')
        } catch {}
        const found = fileOf(text)
        expect(typeof found === 'string' ? found : Buffer.from(found)).toEqual(expected)
      }),
      { numRuns: 2_000 },
    )
  })
})
