/**
 * Tokens: what a text is found by. The index, the queries and the snippets cut texts with this one
 * function, so that they agree on every word; SQLite only splits what it made at the spaces.
 *
 * A word is a run of letters and digits. Writing without spaces (Chinese, Japanese, Korean, Thai …)
 * is cut into every two characters in a row, and the last one alone: any two are then one token, more
 * are a phrase of tokens, and one alone is the beginning of a token. Case, accents and width are
 * folded: `Reunião` and `REUNIAO` are one.
 */

export interface Token {
  /** Folded; holds neither spaces nor quotes. */
  readonly text: string
  /** Where it stands in the text, in UTF-16 units, end exclusive. */
  readonly start: number
  readonly end: number
  /** End of its first character, where it is cut from writing without spaces; else 0. */
  readonly firstEnd: number
}

/** Characters of a word that count; what is longer is found by its beginning. */
const MAX_WORD_CHARS = 64

const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}' +
  '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\u30fc\\uff70\\uff9e\\uff9f'
const pieces = new RegExp(
  `([${UNSPACED}]+)|((?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+)|\\p{Extended_Pictographic}`,
  'gu',
)
/** One character of unspaced writing, with the marks that belong to it. */
const characters = /.[\u3099\u309a\uff9e\uff9f]*/gsu
/** Accents of European writing, points of Hebrew and Arabic. Not vowel signs, nor Japanese ones. */
const accents = new RegExp(
  '[\\u0300-\\u036f\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7\\u0640\\u064b-\\u065f\\u0670' +
    '\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f]',
  'gu',
)
/** Some letters are written out with spaces and signs between. */
const noPart = /[^\p{L}\p{N}\p{M}\p{Extended_Pictographic}]/gu
/** Letters that no normal form takes apart. */
const letters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
  ς: 'σ',
}
const lettersPattern = /[ßæœøđðþłıς]/gu
const asciiWord = /^[a-zA-Z0-9]*$/

/** Without case, accents and width: letters, digits and pictures only, and perhaps nothing. */
export function fold(piece: string): string {
  if (asciiWord.test(piece)) return piece.toLowerCase()
  return piece
    .normalize('NFKD')
    .toLowerCase()
    .replace(accents, '')
    .replace(lettersPattern, (letter) => letters[letter] ?? letter)
    .replace(noPart, '')
    .normalize('NFC')
}

/** The tokens of a text, in order. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (const match of text.matchAll(pieces)) {
    const [piece, unspaced] = match
    if (unspaced !== undefined) addPairs(tokens, unspaced, match.index)
    else addWord(tokens, piece, match.index)
  }
  return tokens
}

function addWord(tokens: Token[], word: string, start: number): void {
  const folded = fold(word.length > MAX_WORD_CHARS ? firstChars(word) : word)
  // An accent on its own.
  if (folded === '') return
  tokens.push({ text: folded, start, end: start + word.length, firstEnd: 0 })
}

function addPairs(tokens: Token[], run: string, start: number): void {
  const chars = run.match(characters) ?? []
  const folded = chars.map(fold)
  let at = start
  for (const [i, char] of chars.entries()) {
    const next = chars[i + 1] ?? ''
    const text = `${folded[i]}${folded[i + 1] ?? ''}`
    const firstEnd = at + char.length
    if (text !== '') tokens.push({ text, start: at, end: firstEnd + next.length, firstEnd })
    at = firstEnd
  }
}

/** As many as count, and no half of a character. */
function firstChars(word: string): string {
  const last = word.charCodeAt(MAX_WORD_CHARS - 1)
  return word.slice(0, last >= 0xd800 && last < 0xdc00 ? MAX_WORD_CHARS - 1 : MAX_WORD_CHARS)
}
