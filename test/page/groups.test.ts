import { describe, expect, it } from 'vitest'
import type { MessageItem } from '../../client/store/types.ts'
import { matchesName } from '../../web/groups/match-name.ts'
import { previewOf } from '../../web/groups/preview.ts'
import { en } from '../../web/i18n/texts.ts'

describe('a filter of names', () => {
  it('matches the start of words, without case and accents', () => {
    for (const query of ['', 'ana', 'con', 'Conceicao', 'sil an', 'conceição']) {
      expect([query, matchesName('Ana Conceição da Silva', query)]).toEqual([query, true])
    }
    for (const query of ['na', 'ana x'])
      expect([query, matchesName('Ana Conceição', query)]).toEqual([query, false])
  })
})

describe('the preview of a message', () => {
  const message = (change: Partial<MessageItem>) =>
    ({
      sender: { userId: 'ana', name: 'Ana Silva' },
      type: 'text',
      content: '',
      mine: false,
      ...change,
    }) as MessageItem

  it('is one line without marks, with the sender in a group', () => {
    const one = message({ content: '> quoted\n**Bold** and `code`\n\nmore' })
    expect(previewOf(one, 'direct', en)).toBe('quoted Bold and code more')
    expect(previewOf(one, 'group', en)).toBe('Ana: quoted Bold and code more')
    expect(previewOf({ ...one, mine: true }, 'direct', en)).toBe('You: quoted Bold and code more')
    expect(previewOf(message({ content: 'x'.repeat(9_000) }), 'direct', en)).toHaveLength(120)
  })

  it.each([
    ['a link', '[the list](https://a.example/list) is ~~long~~', 'the list is long'],
    ['a long address', `[it](https://a.example/${'x'.repeat(1_500)}) opens`, 'it opens'],
    ['long emphasis', `**${'bold '.repeat(100)}text**`, `${'bold '.repeat(23)}bold…`],
    ['a list', '- one\n- `two`\n  - three', 'one two three'],
    ['code', '```ts\nconst a = 2 * 3 * 4\n```', 'const a = 2 * 3 * 4'],
    ['marks that are none', 'snake_case and 2*3*4', 'snake_case and 2*3*4'],
    ['protected marks', '\\*no emphasis\\*', '*no emphasis*'],
    ['HTML', '<b>not bold</b> &amp;', '<b>not bold</b> &amp;'],
  ])('shows of %s what the message shows', (_, content, text) => {
    expect(previewOf(message({ content }), 'direct', en)).toBe(text)
  })

  it('states what has no text', () => {
    const file = { fileName: 'plan.pdf' } as MessageItem['file']
    expect(previewOf(message({ type: 'image' }), 'direct', en)).toBe('Image')
    expect(previewOf(message({ type: 'file', file }), 'direct', en)).toBe('plan.pdf')
    expect(previewOf(message({ content: 'x', deletedAt: 5 }), 'direct', en)).toBe('Message deleted')
    expect(previewOf(message({ content: 'x', recalledAt: 5 }), 'direct', en)).toBe('Message recalled')
  })
})
