/**
 * Query: parses a user's query: words, `"phrases"` and `prefixes*`.
 *
 * No part of it reaches SQLite as syntax: a term is a list of folded tokens, which hold letters and
 * digits only, and `toMatch` puts each in quotes. All terms must be found (AND). No query is refused
 * because of its characters; one without any word has no terms and finds nothing. // SRC-1
 */
import { normalForm } from './normal-form.ts'
import { type Token, tokenize } from './tokens.ts'

/** Tokens that stand one after the other; with `prefix` the last one may go on. */
export interface Term {
  readonly tokens: readonly string[]
  readonly prefix: boolean
}

/**
 * Beginnings cost as much as all the words that begin so: the index looks for so many at most, the
 * longest. The others are looked for in the messages that it proposes.
 */
const MAX_PREFIXES = 4

/** A quoted part, whose end may be missing, or a word; a star behind either. */
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

/** The terms as FTS5 wants them; with many beginnings it finds more than all the terms do. */
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
  // Of unspaced writing the last character alone says nothing more than the pair before it does;
  // by itself it is the beginning of a pair.
  const before = tokens.at(-2)
  const inPair = before !== undefined && before.firstEnd > 0 && before.end === last.end
  return inPair
    ? { tokens: tokens.slice(0, -1).map(toText), prefix: false }
    : { tokens: tokens.map(toText), prefix: true }
}

function toText(token: Token): string {
  return token.text
}
