import { describe, expect, it } from 'vitest'
import { decodeRequest, encodeRequest } from '../../protocol/codec.ts'
import { hasVisible, isSafeName, lastPathPart } from '../../protocol/text-rules.ts'
import { isUtf8, isWellFormed } from '../../protocol/utf8.ts'

const codePoints = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i))

// TXT-1
describe('a name', () => {
  it('contains no control character, line break or bidirectional override', () => {
    const unsafe = [
      ...codePoints(0, 0x1f),
      ...codePoints(0x7f, 0x9f),
      ...codePoints(0x2028, 0x202e),
      ...codePoints(0x2066, 0x2069),
    ]
    for (const char of unsafe) {
      expect([char, isSafeName(`a${char}b`)]).toEqual([char, false])
    }
  })

  it('may contain all other text', () => {
    for (const name of [
      'Ana',
      'José',
      'עברית\u200f',
      'العربية\u061c',
      '山田',
      '👩🏽‍🚀',
      '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
      '1️⃣',
      'a\u00a0b',
      'क्ष',
    ]) {
      expect([name, isSafeName(name) && hasVisible(name)]).toEqual([name, true])
    }
  })

  it('has a visible character also where it may be empty', () => {
    const update = (fields: { name?: string; topic?: string }) =>
      decodeRequest(encodeRequest('update_group', 1, { groupId: 'g', ...fields })).fields
    expect(update({ name: '', topic: '' })).toMatchObject({ name: '', topic: '' })
    expect(() => update({ name: ' ' })).toThrow('name must contain at least one visible character')
    expect(() => update({ topic: '\u200b' })).toThrow('topic must contain at least one visible character')
  })
})

describe('a visible character', () => {
  it.each([
    '',
    '   ',
    '\n\t',
    '\u200b',
    '\u2800',
    '\u3164',
    '\uffa0',
    '\u00ad',
    '\u202e',
    '\0',
    '\ufeff',
    '\u2060',
    '\ufe0f',
    '\u{e0041}\u{e0042}',
    '\u180e',
    '\u034f',
  ])('is not in %j', (text) => expect(hasVisible(text)).toBe(false))

  it.each(['a', ' . ', '\u200b-\u200b', '👍', '❤️', '\u06dd', '한', '\u0301'])('is in %j', (text) =>
    expect(hasVisible(text)).toBe(true),
  )
})

describe('a file name', () => {
  it.each([
    ['photo.jpg', 'photo.jpg'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Windows\\x.exe', 'x.exe'],
    ['a/b', 'b'],
    ['folder/', 'folder'],
    ['a/..', 'a'],
    ['..', ''],
    ['.', ''],
    ['/', ''],
    ['.gitignore', '.gitignore'],
    ['a..b', 'a..b'],
  ])('of %j is %j', (path, name) => expect(lastPathPart(path)).toBe(name))

  it('is reduced before it is validated, because a path may be longer than a name', () => {
    const groupId = 'g'
    const begin = (fileName: string) =>
      decodeRequest(encodeRequest('upload_begin', 1, { fileName, fileSize: 1, groupId })).fields
    expect(begin(`${'folder/'.repeat(60)}x.png`)).toMatchObject({ fileName: 'x.png' })
    for (const name of [
      '..',
      '.',
      '/',
      ' ',
      'a/ ',
      'x\ny.txt',
      'a\0b.txt',
      'photo_\u202egpj.exe',
      'x'.repeat(256),
    ]) {
      expect(() => begin(name), JSON.stringify(name)).toThrow('fileName must')
    }
  })
})

describe('UTF-8', () => {
  it('is checked like in Node, for every first two bytes and every length', () => {
    for (let first = 0; first <= 0xff; first++) {
      for (let second = 0; second <= 0xff; second++) {
        for (const tail of [[], [0x80], [0x80, 0xbf], [0x80, 0x41], [0x41]]) {
          const bytes = Uint8Array.from([first, second, ...tail])
          const text = Buffer.from(bytes).toString()
          const expected = Buffer.from(text).equals(bytes)
          if (isUtf8(bytes, 0, bytes.length) !== expected) expect([...bytes]).toBe(expected)
        }
      }
    }
  })

  it('cannot encode a lone surrogate', () => {
    for (const text of ['\ud83d', '\ude00', 'a\ud83d', '\ude00\ud83d']) expect(isWellFormed(text)).toBe(false)
    for (const text of ['', 'a', '😀', '\uffff']) expect(isWellFormed(text)).toBe(true)
  })

  it('is required for the texts of a request, and the error names the field', () => {
    const send = (fields: { content?: string; groupId?: string; mentions?: string[] }) =>
      encodeRequest('send_message', 1, { groupId: 'g', content: 'x', tempId: 't', ...fields })
    expect(() => send({ content: 'emoji cut in two \ud83d' })).toThrow('content must be well-formed Unicode')
    expect(() => send({ mentions: ['ana', 'user\udc00'] })).toThrow('mentions must be well-formed Unicode')
    expect(() => send({ groupId: 'g\ud83d' })).toThrow('groupId must be well-formed Unicode')
  })
})
