import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseQuery, toMatch } from '../../../engine/text/query.ts'

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

  it.each(['!?', '""', '*', '" "', "'", '\u0301', '++', '\u200d'])('%s has no terms', (query) => {
    expect(parseQuery(query)).toEqual([]) // SRC-1
  })

  it('looks up the longest prefixes in the index, and checks the others in its candidates', () => {
    expect(parseQuery('a* bb* cc* dd* ee* f g*')).toHaveLength(7)
    expect(match('a* bb* cc* dd* ee* f g*')).toBe('"bb"* AND "cc"* AND "dd"* AND "ee"* AND "f"')
    expect(match('我 爱 你 中 国')).toBe('"我"* AND "爱"* AND "你"* AND "中"*')
  })

  it('passes only quoted words to SQLite', () => {
    const clean = /^"[^"*]+"\*?( AND "[^"*]+"\*?)*$/
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })), (query) => {
        if (parseQuery(query).length > 0) expect(match(query)).toMatch(clean)
      }),
      { numRuns: 2_000 },
    )
  })
})
