/**
 * Composer: what is completed before the caret, and who a text mentions.
 */
import { describe, expect, test } from 'vitest'
import { complete, completionAt, matchingMembers } from '../../../web/conversation/composer/completion.ts'
import { bytesOf, mentionsIn } from '../../../web/conversation/composer/written.ts'

const members = [
  { userId: 'u1', name: 'Ana Silva', role: 'member', joinedAt: 1 },
  { userId: 'u2', name: 'Ana', role: 'member', joinedAt: 1 },
  { userId: 'u3', name: 'Érica Sousa', role: 'admin', joinedAt: 1 },
] as const

describe('completion', () => {
  test.each([
    ['@', { kind: 'mention', query: '', from: 0 }],
    ['hi @an', { kind: 'mention', query: 'an', from: 3 }],
    ['(@Ana Si', { kind: 'mention', query: 'Ana Si', from: 1 }],
    [':smi', { kind: 'emoji', query: 'smi', from: 0 }],
    ['a 😀:he', { kind: 'emoji', query: 'he', from: 4 }],
    ['@Ana :he', { kind: 'emoji', query: 'he', from: 5 }],
    ['mail a@b', null],
    ['@Ana ', null],
    ['at 10:30', null],
    ['http://x', null],
    ['::', null],
    ['', null],
  ])('at the end of %j', (text, expected) => {
    expect(completionAt(text, text.length)).toEqual(expected)
  })

  test('replaces the word before the caret, and adds one space', () => {
    const text = 'hi @an there'
    const completion = completionAt(text, 6)
    expect(completion && complete(text, 6, completion, 'Ana Silva')).toEqual({
      text: 'hi @Ana Silva there',
      caret: 14,
    })
    const emoji = completionAt(':smi', 4)
    expect(emoji && complete(':smi', 4, emoji, '😄')).toEqual({ text: '😄 ', caret: 3 })
  })

  test('finds members by any word of the name, without accents, and by id', () => {
    const ids = (query: string) => matchingMembers(members, query).map((member) => member.userId)
    expect(ids('an')).toEqual(['u2', 'u1'])
    expect(ids('eri')).toEqual(['u3'])
    expect(ids('sou')).toEqual(['u3'])
    expect(ids('u1')).toEqual(['u1'])
    expect(ids('x')).toEqual([])
  })
})

describe('a written text', () => {
  test('mentions members by their full name or id, the longest that fits', () => {
    expect(mentionsIn('@Ana Silva and @érica sousa', members)).toEqual(['u1', 'u3'])
    expect(mentionsIn('@Ana, **@u3** `@u1` a@Ana', members)).toEqual(['u2', 'u3'])
    expect(mentionsIn('nobody', members)).toEqual([])
  })

  test('is measured in bytes', () => {
    expect(bytesOf('é😀')).toBe(6)
  })
})
