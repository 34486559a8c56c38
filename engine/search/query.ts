/**
 * Query: what a user typed, understood: words, `"phrases"` and `beginnings*`.
 *
 * Nothing of it reaches SQLite as syntax: a term is a list of folded tokens, which hold letters and
 * digits only, and `toMatch` puts each in quotes. All terms must be found (AND).
 */
import { ChatError } from '../../protocol/errors.ts'
import { type Token, tokenize } from './tokens.ts'

/** Tokens that stand one after the other; with `prefix` the last one may go on. */
export interface Term {
  readonly tokens: readonly string[]
  readonly prefix: boolean
}

/** Beginnings cost as much as all the words that begin so: a query has so many at most. */
const MAX_PREFIXES = 4

/** A quoted part, whose end may be missing, or a word; a star behind either. */
const parts = /["“”„«»]([^"“”„«»]*)(?:["“”„«»](\*)?|$)|([^\s"“”„«»]+)/gu

/** The terms of a query. @throws ChatError `bad_request` where there is nothing to search for. */
export function parseQuery(query: string): readonly Term[] {
  const terms = new Map<string, Term>()
  for (const [, quoted, star, word] of query.matchAll(parts)) {
    const text = quoted ?? word ?? ''
    const term = toTerm(text, star !== undefined || /\*+$/.test(text))
    if (term) terms.set(JSON.stringify(term), term)
  }
  const found = [...terms.values()]
  if (found.length === 0) throw refusal('query takes a word or more')
  if (found.filter(({ prefix }) => prefix).length > MAX_PREFIXES) {
    throw refusal(`query takes at most ${MAX_PREFIXES} beginnings`)
  }
  return found
}

/** The terms as FTS5 wants them. */
export function toMatch(terms: readonly Term[]): string {
  return terms.map(({ tokens, prefix }) => `"${tokens.join(' ')}"${prefix ? '*' : ''}`).join(' AND ')
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

function refusal(why: string): ChatError {
  return new ChatError('bad_request', why, { field: 'query' })
}
