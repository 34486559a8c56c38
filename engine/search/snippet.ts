/**
 * Snippet: whether a text matches a query, how well, and the part of the text to show.
 *
 * It is made from the current text with the same tokens as the index. A hit that no longer matches,
 * because the index lags behind an edit, is detected here. The result is HTML: the escaped text with
 * `<mark>` around the matches, at most `limits.snippetBytes` long.
 */
import { limits } from '../../protocol/limits.ts'
import type { Term } from '../text/query.ts'
import { type Token, tokenize } from '../text/tokens.ts'

export interface Found {
  readonly snippet: string
  /** How well the text matches: 1 to 1,000 per term. Higher is better. */
  readonly rank: number
}

interface Mark {
  readonly term: number
  /** Tokens, inclusive. */
  readonly first: number
  readonly last: number
  /** UTF-16 units, end exclusive. */
  readonly start: number
  readonly end: number
}

/** Tokens shown, and how many of them come before the first mark. */
const SHOWN_TOKENS = 30
const TOKENS_BEFORE = 10
/** After escaping, this number of characters uses less than a third of the available bytes. */
const MAX_CHARS_BEFORE = 100
/** Occurrences that are counted per term. */
const MAX_MARKS = 200

/** The match of a text, or null if it does not contain one of the terms. */
export function find(text: string, terms: readonly Term[]): Found | null {
  const tokens = tokenize(text)
  const marks: Mark[] = []
  let rank = 0
  for (const [index, term] of terms.entries()) {
    const found = occurrences(tokens, term, index)
    if (found.length === 0) return null
    rank += fitness(found.length, tokens.length)
    marks.push(...found)
  }
  marks.sort((a, b) => a.start - b.start || a.end - b.end)
  return { snippet: show(text, tokens, marks), rank }
}

function occurrences(tokens: readonly Token[], term: Term, index: number): readonly Mark[] {
  const { tokens: wanted, prefix } = term
  const found: Mark[] = []
  for (let first = 0; first + wanted.length <= tokens.length && found.length < MAX_MARKS; first++) {
    const fits = wanted.every((text, i) => {
      const token = tokens[first + i] as Token
      return prefix && i === wanted.length - 1 ? token.text.startsWith(text) : token.text === text
    })
    if (!fits) continue
    const last = first + wanted.length - 1
    const { start } = tokens[first] as Token
    const { firstEnd, end } = tokens[last] as Token
    found.push({ term: index, first, last, start, end: prefix && firstEnd > 0 ? firstEnd : end })
  }
  return found
}

/** BM25 without the rarity of words: higher with more occurrences (with saturation) and in shorter texts. */
function fitness(count: number, length: number): number {
  return Math.max(1, Math.round((1_000 * count) / (count + 0.3 + length / 20)))
}

function show(text: string, tokens: readonly Token[], marks: readonly Mark[]): string {
  const begin = bestBegin(marks)
  const firstMark = marks[begin] as Mark
  const firstToken = Math.max(0, firstMark.first - TOKENS_BEFORE)
  const lastToken = Math.min(tokens.length - 1, firstToken + SHOWN_TOKENS - 1)
  let from = firstToken === 0 ? 0 : (tokens[firstToken] as Token).start
  from = wholeCharacter(text, Math.max(from, firstMark.start - MAX_CHARS_BEFORE))
  const to =
    lastToken === tokens.length - 1 ? text.length : Math.max((tokens[lastToken] as Token).end, firstMark.end)
  const head = from > 0 ? '…' : ''
  return head + html(text, from, to, marks.slice(begin), limits.snippetBytes - Buffer.byteLength(head))
}

/** The mark with which a snippet shows the most different terms. */
function bestBegin(marks: readonly Mark[]): number {
  let best = 0
  let most = 0
  for (const [i, mark] of marks.entries()) {
    const end = mark.first + SHOWN_TOKENS - TOKENS_BEFORE
    const seen = new Set<number>()
    for (let j = i; j < marks.length && (marks[j] as Mark).last < end; j++) seen.add((marks[j] as Mark).term)
    if (seen.size > most) {
      most = seen.size
      best = i
    }
  }
  return best
}

/** The part of the text, escaped and marked, up to `maxBytes`. */
function html(text: string, from: number, to: number, marks: readonly Mark[], maxBytes: number): string {
  let out = ''
  let room = maxBytes - ELLIPSIS_BYTES
  /** Where the open mark ends; -1 if no mark is open. */
  let open = -1
  let next = 0
  let afterSpace = true
  let at = from
  for (const char of text.slice(from, to)) {
    if (open >= 0 && at >= open) {
      out += '</mark>'
      open = -1
    }
    // Overlapping marks are merged.
    let end = open
    for (; next < marks.length && (marks[next] as Mark).start <= at; next++) {
      const mark = marks[next] as Mark
      if (mark.end > at) end = Math.max(end, mark.end)
    }
    const opens = open < 0 && end >= 0
    const isSpace = /\s/.test(char)
    const piece = isSpace ? (afterSpace ? '' : ' ') : (escapes[char] ?? char)
    room -= Buffer.byteLength(piece) + (opens ? MARK_BYTES : 0)
    if (room < 0) break
    out += opens ? `<mark>${piece}` : piece
    open = end
    afterSpace = isSpace
    at += char.length
  }
  if (open >= 0) out += '</mark>'
  out = out.trimEnd()
  return at < text.length ? `${out}…` : out
}

const MARK_BYTES = Buffer.byteLength('<mark></mark>')
const ELLIPSIS_BYTES = Buffer.byteLength('…')

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Moves a position that is between the two halves of a surrogate pair. */
function wholeCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit < 0xe000 ? at + 1 : at
}
