/**
 * Blocks: the text of a message, split into paragraphs, quotes, lists and code, and these into lines.
 *
 * `sourceOf` gives the text back. A fence of code that is not closed stays text. Lists nest by their
 * indentation, at most `MAX_LEVELS` deep; other blocks do not: a list in a quote is shown as lines of the
 * quote.
 */
import { type Inline, inlineTokens, type Mentionable, shownText, sourceOfInline } from './inline.ts'

export interface Line {
  /** `> `, `- ` or `1. `; empty in a paragraph. */
  readonly prefix: string
  readonly inside: readonly Inline[]
  /** The line break; empty at the end of the text. */
  readonly end: string
}

/** A line of a list, and the lists below it that are indented further. */
export interface Item extends Line {
  readonly lists: readonly List[]
}

export type List =
  | { readonly kind: 'bullets'; readonly lines: readonly Item[] }
  | { readonly kind: 'numbers'; readonly start: number; readonly lines: readonly Item[] }

export type Block =
  | { readonly kind: 'lines' | 'quote'; readonly lines: readonly Line[] }
  | List
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
  bullets: /^[ \t]{0,16}[-*+•][ \t]+(?=\S)/,
  numbers: /^[ \t]{0,16}\d{1,6}[.)][ \t]+(?=\S)/,
}

/** Characters that plain text is made of: more than `maxLength`, because marks and addresses are not shown. */
const MAX_READ = 4_000
/** Levels of lists; items that are indented further belong to the last one. */
const MAX_LEVELS = 4
/** An item is inside of the one above it if it is indented by so many columns more. */
const STEP = 2
const TAB = 4

/** The blocks of a message. `mentions` are the users that it mentions. */
export function blocksOf(text: string, mentions: readonly Mentionable[] = []): readonly Block[] {
  const lines = text.split('\n')
  const endOf = (i: number) => (i < lines.length - 1 ? '\n' : '')
  const closings = lines.flatMap((line, i) => (line.trimEnd() === '```' ? [i] : []))
  let closing = 0
  const blocks: Block[] = []
  let open = null as { kind: 'lines' | 'quote'; lines: Line[] } | null
  let lists: OpenLists | null = null

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
        open = lists = null
        i = close
        continue
      }
    }
    const { kind, prefix } = prefixOf(line)
    const shown = { prefix, inside: inlineTokens(line.slice(prefix.length), mentions), end: endOf(i) }
    if (kind === 'bullets' || kind === 'numbers') {
      open = null
      lists ??= new OpenLists(blocks)
      lists.add(kind, shown)
      continue
    }
    lists = null
    if (open?.kind !== kind) {
      open = { kind, lines: [] }
      blocks.push(open)
    }
    open.lines.push(shown)
  }
  return blocks
}

/** The lines of a paragraph that are shown: empty lines next to another block only separate the two. */
export function shownLines(lines: readonly Line[], hasBefore: boolean, hasAfter: boolean): readonly Line[] {
  const isText = ({ inside }: Line) => inside.some((one) => one.kind !== 'text' || one.text.trim() !== '')
  const from = hasBefore ? lines.findIndex(isText) : 0
  const to = hasAfter ? lines.findLastIndex(isText) + 1 : lines.length
  return from < 0 ? [] : lines.slice(from, to)
}

interface OpenItem extends Line {
  readonly lists: OpenList[]
}

interface OpenList {
  readonly kind: 'bullets' | 'numbers'
  readonly start: number
  readonly lines: OpenItem[]
}

/** The lists that the next item can belong to, the innermost last. */
class OpenLists {
  readonly #levels: { readonly indent: number; list: OpenList; readonly siblings: Block[] | OpenList[] }[] =
    []
  readonly #outermost: Block[]

  constructor(blocks: Block[]) {
    this.#outermost = blocks
  }

  add(kind: OpenList['kind'], line: Line): void {
    const indent = columnsOf(line.prefix)
    const levels = this.#levels
    // Up, until the item is not left of the list, or would be inside of an item of the one around it.
    while (levels.length > 1 && indent < (levels.at(-1)?.indent ?? 0)) {
      if (indent >= (levels.at(-2)?.indent ?? 0) + STEP) break
      levels.pop()
    }
    const level = levels.at(-1)
    const isInside = level && indent >= level.indent + STEP && levels.length < MAX_LEVELS
    if (!level || isInside) {
      const siblings = level ? (level.list.lines.at(-1) as OpenItem).lists : this.#outermost
      levels.push({ indent, siblings, list: begin(siblings, kind, line) })
    } else if (level.list.kind !== kind) {
      level.list = begin(level.siblings, kind, line)
    }
    levels.at(-1)?.list.lines.push({ ...line, lists: [] })
  }
}

function begin(siblings: Block[] | OpenList[], kind: OpenList['kind'], { prefix }: Line): OpenList {
  const list: OpenList = { kind, start: Number.parseInt(prefix, 10), lines: [] }
  siblings.push(list)
  return list
}

/** The width of the white space at the start of a prefix. */
function columnsOf(prefix: string): number {
  let columns = 0
  for (const char of prefix) {
    if (char === ' ') columns++
    else if (char === '\t') columns += TAB
    else break
  }
  return columns
}

/** The lines of a block from top to bottom, with those of inner lists; none of code. */
export function linesOf(block: Block): readonly Line[] {
  if (block.kind === 'bullets' || block.kind === 'numbers')
    return block.lines.flatMap((item) => [item, ...item.lists.flatMap(linesOf)])
  return block.kind === 'code' ? [] : block.lines
}

/** The text that the blocks were made of. */
export function sourceOf(blocks: readonly Block[]): string {
  let out = ''
  for (const block of blocks) {
    if (block.kind === 'code') out += block.open + block.text + block.close
    else for (const line of linesOf(block)) out += line.prefix + sourceOfInline(line.inside) + line.end
  }
  return out
}

/** The text in one line and without marks, for previews, quotes and announcements. */
export function plainText(text: string, maxLength = 300): string {
  const blocks = blocksOf(text.slice(0, MAX_READ))
  const shown = blocks.map((block) =>
    block.kind === 'code'
      ? block.text
      : linesOf(block)
          .map((line) => shownText(line.inside))
          .join(' '),
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
