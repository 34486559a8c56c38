import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { find } from '../../../engine/search/snippet.ts'
import { normalForm } from '../../../engine/text/normal-form.ts'
import { parseQuery } from '../../../engine/text/query.ts'
import { tokenize } from '../../../engine/text/tokens.ts'

const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const
const texts = (text: string) => tokenize(text).map((token) => token.text)
/** Letters of many scripts, as in the Unicode charts. */
const letter = fc
  .oneof(
    fc.integer({ min: 0x41, max: 0x24f }),
    fc.integer({ min: 0x370, max: 0x6ff }),
    fc.integer({ min: 0x900, max: 0x1fff }),
    fc.integer({ min: 0x3041, max: 0x30ff }),
    fc.integer({ min: 0x4e00, max: 0x4fff }),
    fc.integer({ min: 0xac00, max: 0xd7a3 }),
    fc.integer({ min: 0xf900, max: 0xfaff }),
    fc.integer({ min: 0xff01, max: 0xffdc }),
    fc.integer({ min: 0x1f300, max: 0x1f6ff }),
  )
  .map((code) => String.fromCodePoint(code))
const word = fc.array(letter, { minLength: 1, maxLength: 8 }).map((letters) => letters.join(''))
const hidden = fc.constantFrom(
  '\u00ad',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u2060',
  '\ufe0e',
  '\ufe0f',
  '\u{e0100}',
)

describe('normal form', () => {
  it('is equal for all forms of a text, and is its own normal form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { text: normal } = normalForm(text)
        for (const form of ['NFC', 'NFD'] as const) expect(normalForm(text.normalize(form)).text).toBe(normal)
        expect(normalForm(normal).text).toBe(normal)
      }),
      { numRuns: 2_000 },
    )
  })

  it('composes letters that no mark is part of: the vowels of Kirat Rai', () => {
    for (const text of ['\u{16d68}', '\u{16d69}', '\u{16d6a}']) {
      expect(normalForm(text.normalize('NFD')).text).toBe(text.normalize('NFC'))
    }
  })

  it('composes the letters of a Hangul syllable, also if some of them are of half width', () => {
    for (const text of ['\uac00\uffaa', '\uffb1\u1161', '\u1100\uffc2']) {
      expect(normalForm(text).text).toBe(text.normalize('NFKC'))
    }
  })

  it('maps each character to its source', () => {
    const { text, places } = normalForm('aé e\u0301\u200bx ｶﾞ ㎏')
    expect(text).toBe('aé éx ガ kg')
    expect(places?.starts).toEqual([0, 1, 2, 3, 6, 7, 8, 10, 11, 11])
    expect(places?.ends).toEqual([1, 2, 3, 6, 7, 8, 10, 11, 12, 12])
    expect(normalForm('plain').places).toBeNull()
    expect(normalForm('東京').places).toBeNull()
  })

  it('finds a text by each of its words in any form, with invisible characters in either', () => {
    // SRC-1
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.constantFrom(...forms),
        fc.constantFrom(...forms),
        hidden,
        (words, pick, ofText, ofQuery, invisible) => {
          const chosen = words[pick % words.length] as string
          const text = words.join(' ').normalize(ofText)
          const terms = parseQuery(chosen.normalize(ofQuery) + invisible)
          if (terms.length > 0) {
            expect(find(text, terms)).not.toBeNull()
            expect(find(text.replaceAll(' ', `${invisible} `), terms)).not.toBeNull()
          } else expect(texts(chosen)).toEqual([])
        },
      ),
      { numRuns: 3_000 },
    )
  })
})

describe('a text and a query', () => {
  it.each([
    ['Reunião'.normalize('NFD'), 'reunião'],
    ['한국어'.normalize('NFD'), '한국어'],
    ['한국어', '한국어'.normalize('NFD')],
    ['テレビゲーム'.normalize('NFD'), 'ゲーム'],
    ['ﾃﾚﾋﾞｹﾞｰﾑ', 'ゲーム'],
    ['葛\u{e0100}城市', '葛城'],
    ['love ❤', '❤\ufe0f'],
    ['love ❤\ufe0f', '❤'],
    ['go 🇧🇷', '🇧🇷'],
    ['press 1\ufe0f\u20e3 now', '1'],
    ['press #\ufe0f\u20e3 now', '#\u20e3'],
    ['fam 👨\u200d👩\u200d👧', '👨\u200d👩\u200d👧'],
    ['Donau\u00addampfschiff', 'donaudampfschiff'],
    ['ភាសា\u200bខ្មែរ', 'ភាសាខ្មែរ'],
    ['می\u200cخواهم', 'میخواهم'],
    ['كتاب علي', 'کتاب'],
    ['كتاب علي', 'علی'],
    ['أحمد', 'احمد'],
    ['سنة ١٤٠٢', '۱۴۰۲'],
    ['ﻻ تنس', 'لا'],
    ['ＡＢＣ　１２３', 'abc 123'],
    ['我 爱 你 中 国', '我 爱 你 中 国'],
    ["п'ять", 'пʼять'],
    ['I write C++ daily', 'C++'],
    ['I write C++ daily', '"write c++ daily"'],
    ['I write C++ daily', 'c'],
    ['since C++11', 'c++'],
    ['F# and C#.', 'c#'],
    ['Ｃ＋＋', 'c++'],
    ['a* b* c* d* e* f*', 'a* b* c* d* e* f*'],
  ])('%s is found by %s', (text, query) => {
    expect(find(text, parseQuery(query))).not.toBeNull() // SRC-1
  })

  it.each([
    ['vitamin C helps', 'C++'],
    ['I write C++ daily', 'C#'],
    ['a+b', 'a+'],
    ['go 🇧🇷', '🇧🇪'],
    ['你好，世界', '好世'],
  ])('%s is not found by %s', (text, query) => {
    expect(find(text, parseQuery(query))).toBeNull() // SRC-1
  })

  it('marks whole characters of the original text', () => {
    expect(find('ama o cafe\u0301 do Ze\u0301', parseQuery('café'))?.snippet).toBe(
      'ama o <mark>cafe\u0301</mark> do Ze\u0301',
    )
    expect(find('love ❤\ufe0f!', parseQuery('❤'))?.snippet).toBe('love <mark>❤\ufe0f</mark>!')
    expect(find('I write C++!', parseQuery('c++'))?.snippet).toBe('I write <mark>C++</mark>!')
  })
})
