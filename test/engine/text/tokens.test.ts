import { describe, expect, it } from 'vitest'
import { fold, tokenize } from '../../../engine/text/tokens.ts'

const texts = (text: string) => tokenize(text).map((token) => token.text)
const places = (text: string) => tokenize(text).map(({ start, end }) => text.slice(start, end))

describe('fold', () => {
  it.each([
    ['Reunião', 'reuniao'],
    ['REUNIA\u0303O', 'reuniao'],
    ['Ångström', 'angstrom'],
    ['Łódź', 'lodz'],
    ['Straße', 'strasse'],
    ['İstanbul', 'istanbul'],
    ['ĐỒNG', 'dong'],
    ['Ёлка', 'елка'],
    ['ＡＢＣ１', 'abc1'],
    ['ﬁ', 'fi'],
    ['שָׁלוֹם', 'שלום'],
    ['ΟΔΥΣΣΕΎΣ', 'οδυσσευσ'],
  ])('%s is %s', (text, folded) => {
    expect(fold(text)).toBe(folded)
  })

  it('preserves marks that make another letter: Japanese voice marks, Hindi vowel signs, Hangul', () => {
    expect(fold('がパ')).toBe('がパ')
    expect(fold('ｶﾞ')).toBe('ガ')
    expect(fold('की')).toBe('की')
    expect(fold('한글')).toBe('한글')
  })
})

describe('tokenize', () => {
  it('splits words at characters that are neither letters nor digits', () => {
    expect(texts("Olá, don't e-mail snake_case 3.14!")).toEqual('ola don t e mail snake case 3 14'.split(' '))
    expect(texts(' \n!?"* ')).toEqual([])
  })

  it('returns the position of each token in the original text', () => {
    expect(places('A  REUNIÃO: ß')).toEqual(['A', 'REUNIÃO', 'ß'])
    expect(places('東京都 x')).toEqual(['東京', '京都', '都', 'x'])
  })

  it('splits writing without spaces into pairs of consecutive characters, and the last character', () => {
    expect(texts('東京都')).toEqual(['東京', '京都', '都'])
    expect(texts('한국어')).toEqual(['한국', '국어', '어'])
    expect(texts('ラーメン')).toEqual(['ラー', 'ーメ', 'メン', 'ン'])
    expect(texts('ﾗｰﾒﾝ')).toEqual(['ラー', 'ーメ', 'メン', 'ン'])
    expect(texts('𠮷野家')).toEqual(['𠮷野', '野家', '家'])
    expect(texts('好')).toEqual(['好'])
    expect(texts('สวัสดี')[0]).toBe('สว')
  })

  it('separates scripts with and without spaces', () => {
    expect(texts('iPhoneを買う!')).toEqual(['iphone', 'を買', '買う', 'う'])
    expect(texts('第3章')).toEqual(['第', '3', '章'])
  })

  it('returns pictographs as tokens', () => {
    expect(texts('oi 🎉🎂')).toEqual(['oi', '🎉', '🎂'])
  })

  it('truncates a word that is too long', () => {
    expect(texts('x'.repeat(10_000))).toEqual(['x'.repeat(64)])
    expect(texts('\u{10400}'.repeat(100))[0]).toHaveLength(64)
  })

  it('returns nothing that is FTS5 syntax', () => {
    const all = Array.from({ length: 0x2_ffff }, (_, i) => i)
      .filter((i) => i < 0xd800 || i > 0xdfff)
      .map((i) => String.fromCodePoint(i))
      .join(' ')
    for (const { text } of tokenize(all)) expect(/["*\s\ue000]|^$/u.test(text), text).toBe(false)
  })
})
