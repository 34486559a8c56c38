/**
 * Message text: tokens give the text back, links are safe, and hostile texts end.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Block,
  blocksOf,
  type List,
  linesOf,
  plainText,
  shownLines,
  sourceOf,
} from '../../../web/text/blocks.ts'
import { isEmojiOnly } from '../../../web/text/emoji-only.ts'
import { type Inline, inlineTokens } from '../../../web/text/inline.ts'

const ana = { userId: 'ana', forms: ['Ana Silva', 'Ana'] }

/** Texts in which syntax is frequent. */
const piece = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '*',
      '**',
      '_',
      '__',
      '~',
      '~~',
      '`',
      '```',
      '[',
      '](',
      ')',
      '\\',
      '@',
      '\n',
      ' ',
    ),
  },
  fc.constantFrom(
    'https://a.example/(b)',
    'javascript:alert(1)',
    'www.a.example.',
    '> ',
    '- ',
    '\n  - ',
    '\n    1. ',
    '\n\t* ',
    '3. ',
    '@Ana',
    '```ts\n',
  ),
  fc.constantFrom('word', 'é', '漢字', '😀', '👩‍👩‍👧', '\ud83d', '<b>', '&amp;', '\r', '\t'),
  fc.string({ maxLength: 4, unit: 'binary' }),
)
const written = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''))

function all(blocks: readonly Block[]): readonly Inline[] {
  const flat = (nodes: readonly Inline[]): readonly Inline[] =>
    nodes.flatMap((node) => ('inside' in node ? [node, ...flat(node.inside)] : [node]))
  return blocks.flatMap(linesOf).flatMap((line) => flat(line.inside))
}

const kinds = (line: string) => inlineTokens(line, [ana]).map((node) => node.kind)

describe('tokens of a message', () => {
  test('give the text back', () => {
    fc.assert(
      fc.property(written, (text) => sourceOf(blocksOf(text, [ana])) === text),
      { numRuns: 3_000 },
    )
  })

  test('link only to http, https and mailto, and never inside a link', () => {
    fc.assert(
      fc.property(written, (text) => {
        for (const node of all(blocksOf(text, [ana]))) {
          if (node.kind !== 'link' && node.kind !== 'url') continue
          expect(['http:', 'https:', 'mailto:']).toContain(new URL(node.href).protocol)
          if (node.kind === 'link')
            expect(
              all([{ kind: 'lines', lines: [{ prefix: '', inside: node.inside, end: '' }] }]).some(
                (n) => n.kind === 'url' || n.kind === 'link',
              ),
            ).toBe(false)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  // Each would run for minutes in quadratic time.
  test.each([
    '*a',
    '**',
    '_a_ ',
    '~~~',
    '`',
    '``a`',
    '[',
    '[a](',
    ']()',
    '[a](b(',
    '\\',
    '@',
    '@Ana',
    'http://',
    'https://a.b/(',
    'www.',
    '```\n',
    '> ',
    '- a\n',
    '1. \n',
    '- a\n  1. b\n    - c\n',
    '- a\n1. b\n',
    '*_~`[',
    '[http://a.b](',
    '](http://c.d)',
    '***a',
    '😀',
    '**a*b',
  ])('are found in linear time in %j repeated', (part) => {
    const text = part.repeat(Math.ceil(200_000 / part.length))
    expect(sourceOf(blocksOf(text, [ana]))).toBe(text)
  })

  test('nest no deeper than there are kinds', () => {
    const depth = (nodes: readonly Inline[]): number =>
      Math.max(0, ...nodes.map((node) => ('inside' in node ? 1 + depth(node.inside) : 0)))
    fc.assert(
      fc.property(written, (text) =>
        blocksOf(text)
          .flatMap(linesOf)
          .every((line) => depth(line.inside) <= 7),
      ),
    )
  })

  test.each([
    ['*a*', ['em']],
    ['**a**', ['strong']],
    ['***a***', ['strong']],
    ['~~a~~ and ~b~', ['strike', 'text', 'strike']],
    ['2*3*4 snake_case_name', ['text']],
    ['**重要**です', ['strong', 'text']],
    ['`*a*`', ['code']],
    ['``a`b``', ['code']],
    ['a ` b', ['text']],
    ['\\*a\\*', ['escape', 'text', 'escape']],
    ['¯\\_(ツ)_/¯', ['text']],
    ['@Ana Silva, hello', ['mention', 'text']],
    ['a@Ana', ['text']],
    ['@Anabela', ['text']],
    ['see (https://a.example/x_(y)).', ['text', 'url', 'text']],
    ['[a *b*](https://a.example)', ['link']],
    ['[a](javascript:alert(1))', ['text']],
    ['[bank.example](https://evil.example)', ['text', 'url', 'text']],
    ['https://bank.example@evil.example', ['text']],
  ])('%s', (line, expected) => {
    expect(kinds(line)).toEqual(expected)
  })

  test('form quotes, lists and code', () => {
    const text = '> a\n> b\n- c\n- d\n7. e\n```ts\nlet x\n```\nend\n```'
    const blocks = blocksOf(text)
    expect(blocks.map((block) => block.kind)).toEqual(['quote', 'bullets', 'numbers', 'code', 'lines'])
    expect(blocks[2]).toMatchObject({ start: 7 })
    expect(blocks[3]).toMatchObject({ language: 'ts', text: 'let x\n' })
  })

  test.each([
    ['- a\n  - b\n- c', 'ul(a ul(b) c)'],
    ['1. a\n   - b\n   - c\n2. d', 'ol1(a ul(b c) d)'],
    ['- a\n    - b\n  - c\n- d', 'ul(a ul(b c) d)'],
    ['- a\n - b', 'ul(a b)'],
    ['- a\n\t- b\n\t\t4. c\n\t5) d', 'ul(a ul(b ol4(c)) ol5(d))'],
    ['- a\n1. b\n  - c\n- d', 'ul(a) ol1(b ul(c)) ul(d)'],
    ['    - a\n- b', 'ul(a b)'],
    ['- a\n  - b\n    - c\n      - d\n        - e\n- f', 'ul(a ul(b ul(c ul(d e))) f)'],
    ['- a\n\n  - b', 'ul(a) lines ul(b)'],
  ])('nest lists by their indentation: %j', (text, expected) => {
    const shape = (list: List): string => {
      const items = list.lines.map((item) =>
        [...item.inside.map((node) => ('text' in node ? node.text : '')), ...item.lists.map(shape)].join(' '),
      )
      return `${list.kind === 'bullets' ? 'ul' : `ol${list.start}`}(${items.join(' ')})`
    }
    const shapes = blocksOf(text).map((block) =>
      block.kind === 'bullets' || block.kind === 'numbers' ? shape(block) : block.kind,
    )
    expect(shapes.join(' ')).toBe(expected)
    expect(sourceOf(blocksOf(text))).toBe(text)
  })

  test('nest lists at most four deep', () => {
    const levels = (lists: readonly List[]): number =>
      Math.max(0, ...lists.map(({ lines }) => 1 + Math.max(0, ...lines.map((item) => levels(item.lists)))))
    const items = fc.array(
      fc.tuple(
        fc.nat({ max: 8 }).map((level) => level * 2),
        fc.constantFrom('- ', '1. '),
      ),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(items, (lines) => {
        const text = lines.map(([indent, mark], i) => `${' '.repeat(indent)}${mark}${i}`).join('\n')
        const blocks = blocksOf(text)
        expect(sourceOf(blocks)).toBe(text)
        const lists = blocks.filter((block) => block.kind === 'bullets' || block.kind === 'numbers')
        expect(levels(lists)).toBeLessThanOrEqual(4)
      }),
    )
  })

  test('have a plain form of one line', () => {
    expect(plainText('**Hi**\n> [there](https://a.example)\n```\ncode\n```')).toBe('Hi there code')
    expect(plainText('x'.repeat(1_000), 10)).toHaveLength(10)
  })

  test('of emoji alone are recognised', () => {
    for (const text of ['😀', '👍🏽 🎉', '👩‍👩‍👧', '🇧🇷', '❤️', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'])
      expect(isEmojiOnly(text), text).toBe(true)
    for (const text of ['', '1', '#', 'a😀', '©', '😀'.repeat(7)]) expect(isEmojiOnly(text), text).toBe(false)
  })

  test('empty lines next to a quote, a list or code are not shown; those within a text are', () => {
    const shown = (text: string) =>
      blocksOf(text).map((block, i, { length }) => {
        if (block.kind !== 'lines') return block.kind
        return shownLines(block.lines, i > 0, i < length - 1).map(({ inside }) => sourceOfLine(inside))
      })
    const sourceOfLine = (inside: readonly Inline[]) =>
      inside.map((one) => (one.kind === 'text' ? one.text : '?')).join('')
    expect(shown('> q\n\n \na\n\nb\n\n- x')).toEqual(['quote', ['a', '', 'b'], 'bullets'])
    expect(shown('> q\n\n- x')).toEqual(['quote', [], 'bullets'])
    expect(shown('\na\n')).toEqual([['', 'a', '']])
  })
})
