/**
 * Inline tokens: one line of a message, split into text, code, emphasis, links and mentions.
 *
 * Nothing is lost: `sourceOfInline` gives the line back, also where it is malformed, because syntax
 * that is not closed stays text. A mark that is opened again replaces the earlier opening of the same
 * kind, so that tokens nest no deeper than there are kinds and the time is linear in the text.
 */
import { addressAt, isMisleading, safeHref } from './links.ts'

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  /** A backslash and the character that it protects. */
  | { readonly kind: 'escape'; readonly text: string }
  | { readonly kind: 'code'; readonly fence: string; readonly text: string }
  | { readonly kind: Emphasis; readonly mark: string; readonly inside: readonly Inline[] }
  | {
      readonly kind: 'link'
      readonly href: string
      readonly inside: readonly Inline[]
      readonly close: string
    }
  | { readonly kind: 'url'; readonly href: string; readonly text: string }
  | { readonly kind: 'mention'; readonly userId: string; readonly text: string }

type Emphasis = 'strong' | 'em' | 'strike'

/** A user that a message mentions, and how the text may write the name after `@`. */
export interface Mentionable {
  readonly userId: string
  readonly forms: readonly string[]
}

const special = /[\\`*_~[\]@]|https?:\/\/|www\.|mailto:/gi
const destination = /\(([^\s()[\]<>]*(?:\([^\s()[\]<>]*\)[^\s()[\]<>]*)*)\)/y
const word = /[\p{L}\p{N}]/u
/** Scripts that are written without spaces: emphasis may begin and end within a word. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u
const escaped = /[\\`*~[]/

const emphasisOf: Readonly<Record<string, Emphasis>> = {
  '**': 'strong',
  __: 'strong',
  '*': 'em',
  _: 'em',
  '~~': 'strike',
  '~': 'strike',
}

/** The tokens of a line. `mentions` are the users that the message mentions. */
export function inlineTokens(line: string, mentions: readonly Mentionable[] = []): readonly Inline[] {
  const nodes: Inline[] = []
  /** Where each mark was opened last, as an index of `nodes`. */
  const opened = new Map<string, number>()
  const closings = new CodeFences(line)
  let done = 0

  const add = (node: Inline, end: number) => {
    nodes.push(node)
    done = end
  }
  const addText = (end: number) => add({ kind: 'text', text: line.slice(done, end) }, end)
  const wrap = (at: number, make: (inside: readonly Inline[]) => Inline, end: number) => {
    nodes.push(make(merged(nodes.splice(at).slice(1))))
    for (const [mark, index] of opened) if (index >= at) opened.delete(mark)
    done = end
  }

  for (;;) {
    special.lastIndex = done
    const found = special.exec(line)
    if (!found) break
    const at = found.index
    if (at > done) addText(at)
    const char = line.charAt(at)
    if (char === '\\') {
      // `\_` protects the mark, and the backslash is shown: ¯\_(ツ)_/¯
      if (escaped.test(line.charAt(at + 1))) add({ kind: 'escape', text: line.slice(at, at + 2) }, at + 2)
      else addText(line.charAt(at + 1) === '_' ? at + 2 : at + 1)
    } else if (char === '`') {
      const fence = runAt(line, at)
      const close = closings.next(fence.length, at + fence.length)
      const inner = at + fence.length
      if (close < 0) addText(inner)
      else add({ kind: 'code', fence, text: line.slice(inner, close) }, close + fence.length)
    } else if (char === '[') {
      opened.set('[', nodes.length)
      addText(at + 1)
    } else if (char === ']') {
      const link = linkEnd(line, at, opened.get('['), nodes)
      opened.delete('[')
      if (link) {
        const { href, close } = link
        wrap(
          link.at,
          (inside) => ({ kind: 'link', href, inside: unlinked(inside), close }),
          at + close.length,
        )
      } else addText(at + 1)
    } else if (char === '@') {
      const mention = isWord(charBefore(line, at)) ? null : mentionAt(line, at + 1, mentions)
      if (mention) add(mention, at + mention.text.length)
      else addText(at + 1)
    } else if (char === '*' || char === '_' || char === '~') {
      const run = runAt(line, at)
      if (run.length > 3) {
        addText(at + run.length)
        continue
      }
      const close = closingMark(line, at, run, opened, nodes.length)
      if (close) {
        const { mark, index } = close
        wrap(index, (inside) => ({ kind: emphasisOf[mark] as Emphasis, mark, inside }), at + mark.length)
        continue
      }
      const mark = run.length > 1 ? run.slice(0, 2) : run
      if (canOpen(line, at, run, mark)) opened.set(mark, nodes.length)
      addText(at + mark.length)
    } else {
      const url = isWord(charBefore(line, at)) ? null : addressAt(line, at)
      if (url) add({ kind: 'url', ...url }, at + url.text.length)
      else addText(at + found[0].length)
    }
  }
  if (done < line.length) addText(line.length)
  return merged(nodes)
}

/** The text that the tokens were made of. */
export function sourceOfInline(nodes: readonly Inline[]): string {
  let out = ''
  for (const node of nodes) {
    if (node.kind === 'code') out += node.fence + node.text + node.fence
    else if (node.kind === 'link') out += `[${sourceOfInline(node.inside)}${node.close}`
    else if ('inside' in node) out += node.mark + sourceOfInline(node.inside) + node.mark
    else out += node.text
  }
  return out
}

/** The text that is shown for the tokens. */
export function shownText(nodes: readonly Inline[]): string {
  let out = ''
  for (const node of nodes) {
    if ('inside' in node) out += shownText(node.inside)
    else out += node.kind === 'escape' ? node.text.slice(1) : node.text
  }
  return out
}

/** Positions of the runs of backticks, by their length. Queries ascend, so each position is visited once. */
class CodeFences {
  readonly #line: string
  #runs: Map<number, { readonly at: number[]; next: number }> | null = null

  constructor(line: string) {
    this.#line = line
  }

  next(length: number, from: number): number {
    this.#runs ??= this.#find()
    const runs = this.#runs.get(length)
    if (!runs) return -1
    while (runs.next < runs.at.length && (runs.at[runs.next] as number) < from) runs.next++
    return runs.at[runs.next] ?? -1
  }

  #find() {
    const runs = new Map<number, { at: number[]; next: number }>()
    for (const { 0: run, index } of this.#line.matchAll(/`+/g)) {
      const same = runs.get(run.length)
      if (same) same.at.push(index)
      else runs.set(run.length, { at: [index], next: 0 })
    }
    return runs
  }
}

function runAt(line: string, at: number): string {
  const char = line.charAt(at)
  let end = at + 1
  while (line.charAt(end) === char) end++
  return line.slice(at, end)
}

/** The mark of the run that closes the innermost open emphasis; null for none. */
function closingMark(
  line: string,
  at: number,
  run: string,
  opened: ReadonlyMap<string, number>,
  count: number,
): { readonly mark: string; readonly index: number } | null {
  const before = line.charAt(at - 1)
  if (before === '' || /\s/.test(before)) return null
  let best: { readonly mark: string; readonly index: number } | null = null
  for (const mark of [run.slice(0, 2), run.slice(0, 1)]) {
    const index = opened.get(mark)
    if (index === undefined || index + 1 >= count || (best && best.index > index)) continue
    if (isBound(mark) && isWord(charAfter(line, at + run.length))) continue
    best = { mark, index }
  }
  return best
}

function canOpen(line: string, at: number, run: string, mark: string): boolean {
  const after = line.charAt(at + run.length)
  if (after === '' || /\s/.test(after)) return false
  return !(isBound(mark) && isWord(charBefore(line, at)))
}

/** `2*3*4` and `snake_case` are no emphasis; `**` and `~~` may begin within a word. */
function isBound(mark: string): boolean {
  return mark !== '**' && mark !== '~~'
}

function linkEnd(line: string, at: number, opening: number | undefined, nodes: readonly Inline[]) {
  if (opening === undefined || opening + 1 >= nodes.length || line.charAt(at + 1) !== '(') return null
  destination.lastIndex = at + 1
  const found = destination.exec(line)
  const href = found && safeHref(found[1] as string)
  if (!href || isMisleading(shownText(nodes.slice(opening + 1)), href)) return null
  return { at: opening, href, close: `]${found[0]}` }
}

/** A label contains no further links. */
function unlinked(nodes: readonly Inline[]): readonly Inline[] {
  return merged(
    nodes.map((node) => {
      if (node.kind === 'url') return { kind: 'text', text: node.text }
      return 'inside' in node ? { ...node, inside: unlinked(node.inside) } : node
    }),
  )
}

function mentionAt(line: string, from: number, mentions: readonly Mentionable[]) {
  let best: { readonly kind: 'mention'; readonly userId: string; readonly text: string } | null = null
  for (const { userId, forms } of mentions) {
    for (const form of forms) {
      const end = from + form.length
      if (form.length === 0 || (best && best.text.length > form.length)) continue
      if (line.slice(from, end).toLowerCase() !== form.toLowerCase() || isWord(charAfter(line, end))) continue
      best = { kind: 'mention', userId, text: line.slice(from - 1, end) }
    }
  }
  return best
}

function isWord(char: string): boolean {
  return word.test(char) && !unspaced.test(char)
}

function charAfter(line: string, at: number): string {
  const code = line.codePointAt(at)
  return code === undefined ? '' : String.fromCodePoint(code)
}

function charBefore(line: string, at: number): string {
  if (at <= 0) return ''
  const last = line.charCodeAt(at - 1)
  return last >= 0xdc00 && last <= 0xdfff ? charAfter(line, at - 2) : line.charAt(at - 1)
}

function merged(nodes: readonly Inline[]): readonly Inline[] {
  const out: Inline[] = []
  for (const node of nodes) {
    const last = out.at(-1)
    if (node.kind === 'text' && last?.kind === 'text')
      out[out.length - 1] = { kind: 'text', text: last.text + node.text }
    else out.push(node)
  }
  return out
}
