/**
 * Query: parses a user's query: words, `"phrases"` and `prefixes*`.
 *
 * No part of a query reaches SQLite as syntax: a term is a list of folded tokens, which contain only
 * letters and digits, and `toMatch` quotes each. All terms must match (AND). No query is refused
 * because of its characters. A query without words has no terms and finds nothing. // SRC-1
 */
import { normalForm } from './normal-form.ts'
import { type Token, tokenize } from './tokens.ts'

/** Consecutive tokens. With `prefix`, the last one matches every token that begins with it. */
export interface Term {
  readonly tokens: readonly string[]
  readonly prefix: boolean
}

/**
 * A prefix costs as much as all words that begin with it. Therefore, the index looks for this number
 * of prefixes at most, the longest ones. The others are only checked in the candidates.
 */
const MAX_PREFIXES = 4

/** A quoted part (the closing quote may be missing) or a word, with an optional star after it. */
const parts = /["“”„«»]([^"“”„«»]*)(?:["“”„«»](\*)?|$)|([^\s"“”„«»]+)/gu

/** The terms of a query; empty if it contains no word. */
export function parseQuery(query: string): readonly Term[] {
  const terms = new Map<string, Term>()
  for (const [, quoted, star, word] of normalForm(query).text.matchAll(parts)) {
    const text = quoted ?? word ?? ''
    const term = toTerm(text, star !== undefined || /\*+$/.test(text))
    if (term) terms.set(JSON.stringify(term), term)
  }
  return [...terms.values()]
}

/** The terms as an FTS5 expression. With many prefixes it matches more than the terms do. */
export function toMatch(terms: readonly Term[]): string {
  const prefixes = terms.filter(({ prefix }) => prefix).sort((a, b) => lengthOf(b) - lengthOf(a))
  const left = new Set(prefixes.slice(MAX_PREFIXES))
  return terms
    .filter((term) => !left.has(term))
    .map(({ tokens, prefix }) => `"${tokens.join(' ')}"${prefix ? '*' : ''}`)
    .join(' AND ')
}

function lengthOf({ tokens }: Term): number {
  return tokens.join(' ').length
}

function toTerm(text: string, star: boolean): Term | null {
  const tokens = tokenize(text)
  const last = tokens.at(-1)
  if (!last) return null
  if (last.firstEnd === 0) return { tokens: tokens.map(toText), prefix: star }
  // In text without spaces, the last character is part of the pair before it and adds nothing. If
  // there is no pair, it is the beginning of one.
  const before = tokens.at(-2)
  const inPair = before !== undefined && before.firstEnd > 0 && before.end === last.end
  return inPair
    ? { tokens: tokens.slice(0, -1).map(toText), prefix: false }
    : { tokens: tokens.map(toText), prefix: true }
}

function toText(token: Token): string {
  return token.text
}
