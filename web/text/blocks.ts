/**
 * Blocks: the text of a message, split into paragraphs, quotes, lists and code, and these into lines.
 *
 * `sourceOf` gives the text back. A fence of code that is not closed stays text. Blocks do not nest: a
 * list in a quote is shown as lines of the quote.
 */
import { type Inline, inlineTokens, type Mentionable, shownText, sourceOfInline } from './inline.ts'

export interface Line {
  /** `> `, `- ` or `1. `; empty in a paragraph. */
  readonly prefix: string
  readonly inside: readonly Inline[]
  /** The line break; empty at the end of the text. */
  readonly end: string
}

export type Block =
  | { readonly kind: 'lines' | 'quote' | 'bullets'; readonly lines: readonly Line[] }
  | { readonly kind: 'numbers'; readonly start: number; readonly lines: readonly Line[] }
  | {
      readonly kind: 'code'
      readonly open: string
      readonly language: string
      readonly text: string
      readonly close: string
    }

const fence = /^```[\w+#.-]{0,30}\s*$/
const prefixes = {
  quote: /^>[ \t]?/,
  bullets: /^[ \t]{0,8}[-*+•][ \t]+(?=\S)/,
  numbers: /^[ \t]{0,8}\d{1,6}[.)][ \t]+(?=\S)/,
}

/** The blocks of a message. `mentions` are the users that it mentions. */
export function blocksOf(text: string, mentions: readonly Mentionable[] = []): readonly Block[] {
  const lines = text.split('\n')
  const endOf = (i: number) => (i < lines.length - 1 ? '\n' : '')
  const closings = lines.flatMap((line, i) => (line.trimEnd() === '```' ? [i] : []))
  let closing = 0
  const blocks: Block[] = []
  let open = null as { kind: 'lines' | 'quote' | 'bullets' | 'numbers'; lines: Line[] } | null

  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    if (fence.test(line)) {
      while (closing < closings.length && (closings[closing] as number) <= i) closing++
      const close = closings[closing]
      if (close !== undefined) {
        const text = lines.slice(i + 1, close).join('\n')
        blocks.push({
          kind: 'code',
          open: `${line}\n`,
          language: line.slice(3).trim(),
          text: close > i + 1 ? `${text}\n` : '',
          close: lines[close] + endOf(close),
        })
        open = null
        i = close
        continue
      }
    }
    const { kind, prefix } = prefixOf(line)
    if (open?.kind !== kind) {
      open = { kind, lines: [] }
      blocks.push(
        kind === 'numbers' ? { ...open, kind, start: Number.parseInt(line.trim(), 10) } : { ...open, kind },
      )
    }
    open.lines.push({ prefix, inside: inlineTokens(line.slice(prefix.length), mentions), end: endOf(i) })
  }
  return blocks
}

/** The text that the blocks were made of. */
export function sourceOf(blocks: readonly Block[]): string {
  let out = ''
  for (const block of blocks) {
    if (block.kind === 'code') out += block.open + block.text + block.close
    else for (const line of block.lines) out += line.prefix + sourceOfInline(line.inside) + line.end
  }
  return out
}

/** The text in one line and without marks, for previews, quotes and announcements. */
export function plainText(text: string, maxLength = 300): string {
  // Marks are shorter than what they enclose, in all that is not hostile.
  const blocks = blocksOf(text.slice(0, maxLength * 2))
  const shown = blocks.map((block) =>
    block.kind === 'code' ? block.text : block.lines.map((line) => shownText(line.inside)).join(' '),
  )
  const line = shown.join(' ').replace(/\s+/g, ' ').trim()
  return line.length > maxLength ? `${[...line.slice(0, maxLength)].slice(0, -1).join('')}…` : line
}

function prefixOf(line: string): { kind: 'lines' | 'quote' | 'bullets' | 'numbers'; prefix: string } {
  for (const kind of ['quote', 'bullets', 'numbers'] as const) {
    const prefix = prefixes[kind].exec(line)?.[0]
    if (prefix !== undefined) return { kind, prefix }
  }
  return { kind: 'lines', prefix: '' }
}
