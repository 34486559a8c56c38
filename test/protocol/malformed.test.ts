import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { refusalOf, refusalOfJson } from './refusal.ts'

const plain = new Packr({ useRecords: false })

// INP-1
describe('a rejected frame', () => {
  it('is malformed if a type is wrong, not if a value is', () => {
    const malformed = (wire: unknown) => refusalOf(plain.pack(wire))?.malformed
    for (const wire of [
      [5, 7],
      [5, 7, 5],
      [5, 7, Buffer.from('g')],
      [10, 7, 'g', 'x'],
      [10, 7, 'g', 1.5],
      [32, 7, 'g:1'],
      [32, 7, [5]],
      [9, 7, 'g', null, null, null, 't'],
      [9, 7, 'g', 'x', 5, null, 't'],
      [30, 7, true],
      { 5: 7 },
    ]) {
      expect([wire, malformed(wire)]).toEqual([wire, true])
    }
    for (const wire of [
      [5, 7, ''],
      [5, 7, 'my group'],
      [10, 7, 'g', null, null, 201],
      [10, 7, 'g', -1],
      [32, 7, ['pending-1']],
      [32, 7, new Array(501).fill('g:1')],
      [9, 7, 'g', 'x'.repeat(40_000), null, null, 't'],
      [30, 7, 'asleep'],
      [36, 7, ''],
      [200, 7],
    ]) {
      expect([wire, malformed(wire)]).toEqual([wire, false])
    }
  })

  it('is malformed if it cannot be decoded', () => {
    for (const frame of [
      [],
      [0xc1],
      [0x93, 5, 7],
      [0x93, 5, 7, 0xa2, 0xc1, 0x81],
      [0x93, 5, 7, 0xd4, 1, 0],
    ]) {
      expect(refusalOf(Uint8Array.from(frame))?.malformed).toBe(true)
    }
  })

  it('of JSON follows the same rule', () => {
    for (const text of [
      '{',
      '[]',
      '{"event":5,"ref":1,"data":{}}',
      '{"event":"ping","data":{}}',
      '{"event":"ping","ref":-1,"data":{}}',
      '{"event":"ping","ref":1,"data":[]}',
      '{"event":"ping","ref":1,"data":{"t":"now"}}',
      '{"event":"join_group","ref":1,"data":{}}',
    ]) {
      expect([text, refusalOfJson(text)?.malformed]).toEqual([text, true])
    }
    for (const text of [
      '{"event":"from_the_future","ref":1,"data":{}}',
      '{"event":"join_group","ref":1,"data":{"groupId":""}}',
      '{"event":"search","ref":1,"data":{"query":"\\ud83d"}}',
    ]) {
      expect([text, refusalOfJson(text)?.malformed]).toEqual([text, false])
    }
  })
})
