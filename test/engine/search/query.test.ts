import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseQuery, toMatch } from '../../../engine/search/query.ts'
import { refusal } from '../../support/sessions.ts'

const match = (query: string) => toMatch(parseQuery(query))

describe('a query', () => {
  it.each([
    ['two words', '"two" AND "words"'],
    ['  Reunião   REUNIÃO ', '"reuniao"'],
    ['"a phrase" word', '"a phrase" AND "word"'],
    ['wor*', '"wor"*'],
    ['wor**', '"wor"*'],
    ['"a phr"*', '"a phr"*'],
    ['“smart quotes” «and these»', '"smart quotes" AND "and these"'],
    ['"not closed', '"not closed"'],
    ["don't", '"don t"'],
    ['e-mail*', '"e mail"*'],
    ['東京', '"東京"'],
    ['東京都', '"東京 京都"'],
    ['東', '"東"*'],
    ['iPhoneを買う', '"iphone を買 買う"'],
    ['"東京 abc"', '"東京 京 abc"'],
    ['ａ AND b OR NOT c', '"a" AND "and" AND "b" AND "or" AND "not" AND "c"'],
    ['text:x ^y (z) NEAR/2', '"text x" AND "y" AND "z" AND "near 2"'],
  ])('%s is %s', (query, expected) => {
    expect(match(query)).toBe(expected)
  })

  it.each(['!?', '""', '*', '" "', "'", '\u0301'])('%s has nothing to search for', (query) => {
    expect(() => parseQuery(query)).toThrow(expect.objectContaining(refusal('bad_request', 'query')))
  })

  it('takes a few beginnings only', () => {
    expect(parseQuery('a* b* c* d* e')).toHaveLength(5)
    expect(() => parseQuery('a* b* c* d* e*')).toThrow(
      expect.objectContaining(refusal('bad_request', 'query')),
    )
  })

  it('never lets anything but quoted words through', () => {
    const clean = /^"[^"*]+"\*?( AND "[^"*]+"\*?)*$/
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })), (query) => {
        let found: string
        try {
          found = match(query)
        } catch (error) {
          expect(error).toMatchObject(refusal('bad_request', 'query'))
          return
        }
        expect(found).toMatch(clean)
      }),
      { numRuns: 2_000 },
    )
  })
})
