import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { find } from '../../../engine/search/snippet.ts'
import { parseQuery } from '../../../engine/text/query.ts'
import { tokenize } from '../../../engine/text/tokens.ts'
import { limits } from '../../../protocol/limits.ts'

const snippet = (text: string, query: string) => find(text, parseQuery(query))?.snippet ?? null
const rank = (text: string, query: string) => find(text, parseQuery(query))?.rank ?? 0

describe('a snippet', () => {
  it('marks what was found, in the original spelling', () => {
    expect(snippet('A Reunião é às 9h', 'reuniao AS')).toBe('A <mark>Reunião</mark> é <mark>às</mark> 9h')
  })

  it('is null if one of the words is missing', () => {
    expect(snippet('a meeting', 'meeting tomorrow')).toBeNull()
  })

  it('marks a phrase only if its words are consecutive, and a whole word for a prefix', () => {
    expect(snippet('new york, york new', '"new york"')).toBe('<mark>new york</mark>, york new')
    expect(snippet('a world of words', 'wor*')).toBe('a <mark>world</mark> of <mark>words</mark>')
    expect(snippet('a world of words', 'wor')).toBeNull()
  })

  it('marks pairs of Chinese, Japanese and Korean characters, or the single one of the query', () => {
    expect(snippet('我在東京都', '京都')).toBe('我在東<mark>京都</mark>')
    expect(snippet('我在東京都', '東京都')).toBe('我在<mark>東京都</mark>')
    expect(snippet('我在東京都', '都')).toBe('我在東京<mark>都</mark>')
    expect(snippet('我在東京都', '東')).toBe('我在<mark>東</mark>京都')
    expect(snippet('안녕하세요', '하세')).toBe('안녕<mark>하세</mark>요')
    expect(snippet('我在東京都', '東都')).toBeNull()
  })

  it('escapes all HTML of the text', () => {
    expect(snippet('<b>x</b> & "y" it\'s', 'x')).toBe(
      '&lt;b&gt;<mark>x</mark>&lt;/b&gt; &amp; &quot;y&quot; it&#39;s',
    )
  })

  it('is one line, and merges overlapping marks', () => {
    expect(snippet('one\n\n two\tthree', '"one two" "two three"')).toBe('<mark>one two three</mark>')
  })

  it('shows about thirty words around the place with the most matches', () => {
    const filler = Array.from({ length: 100 }, (_, i) => `w${i}`)
    const text = ['alfa', ...filler, 'alfa beta', ...filler].join(' ')
    const shown = snippet(text, 'alfa beta') as string
    expect(shown).toMatch(/^…w9\d .*<mark>alfa<\/mark> <mark>beta<\/mark> w0 .*…$/)
    expect(shown.split(' ').length).toBe(30)
  })

  it('is never too long, and is never cut inside a character or a mark', () => {
    for (const char of ['x', '"', '𠮷', '東', '🎉', '&']) {
      const text = `${char.repeat(5_000)} needle ${char.repeat(20_000)}`
      const shown = snippet(text, 'needle') as string
      expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(limits.snippetBytes)
      expect(shown).toContain('<mark>needle</mark>')
      expect(shown.isWellFormed()).toBe(true)
    }
    const many = snippet('東'.repeat(9_000), '東') as string
    expect(Buffer.byteLength(many)).toBeLessThanOrEqual(limits.snippetBytes)
    expect(many.endsWith('</mark>…')).toBe(true)
  })

  it('finds every text by a query made from it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (text) => {
        const [first] = tokenize(text)
        if (!first) return
        const found = find(text, [{ tokens: [first.text], prefix: false }])
        expect(found?.snippet).toContain('<mark>')
        expect(Buffer.byteLength(found?.snippet ?? '')).toBeLessThanOrEqual(limits.snippetBytes)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the rank', () => {
  it('is higher if a word occurs more often or the text is shorter', () => {
    expect(rank('pão e pão', 'pao')).toBeGreaterThan(rank('pão e vinho', 'pao'))
    expect(rank('pão', 'pao')).toBeGreaterThan(rank(`pão ${'e vinho '.repeat(50)}`, 'pao'))
    expect(Number.isInteger(rank('pão e vinho', 'pao vinho'))).toBe(true)
  })
})
