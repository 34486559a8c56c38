/**
 * Tokens: the units by which a text is found. The index, queries and snippets use this one function,
 * so that they agree on every word. SQLite only splits the result at the spaces.
 *
 * A text is converted to its normal form first (`normal-form.ts`). A word is a run of letters and
 * digits. A word that ends in signs, such as `C++` and `C#`, is two tokens: the word, and the word
 * with its signs. Writing without spaces (Chinese, Japanese, Korean, Thai …) is split into every pair
 * of consecutive characters, plus the last character alone. A query of two characters is one token; a
 * longer one is a phrase of tokens; a single character is a prefix. Emoji, flags and keycaps are
 * tokens. Case, accents, width and Arabic letter forms are folded: `Reunião` equals `REUNIAO`. // SRC-1
 */
import { normalForm } from './normal-form.ts'

export interface Token {
  /** Folded; contains neither spaces nor quotes. */
  readonly text: string
  /** Position in the original text, in UTF-16 units, end exclusive. */
  readonly start: number
  readonly end: number
  /** End of the first character, if the token is a pair from writing without spaces; otherwise 0. */
  readonly firstEnd: number
}

/** Length limit of a word. A longer word is found by its first characters. */
const MAX_WORD_CHARS = 64

const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}' +
  '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\u30fc\\u3099\\u309a'
const pieces = new RegExp(
  `([${UNSPACED}]+)|((?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+)` +
    '|\\p{Extended_Pictographic}|\\p{Regional_Indicator}{1,2}|[#*](?=\\u20e3)',
  'gu',
)
/** Signs that belong to the word before them: `C++11`, `C#`, `A+`; not `a+b`. */
const wordSigns = /(?:\+\+|#)[+#]{0,6}(?!\p{L})|\+(?![+#\p{L}\p{N}])/uy
/** SQLite splits at ASCII signs. These characters replace them in tokens. */
const signs: Readonly<Record<string, string>> = { '+': '\ue001', '#': '\ue002', '*': '\ue003' }
/** One character of writing without spaces, with its marks. */
const characters = /.[\u3099\u309a]*/gsu
/** Accents of European scripts, points of Hebrew and Arabic. Not vowel signs or Japanese voice marks. */
const accents = new RegExp(
  '[\\u0300-\\u036f\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7\\u0610-\\u061a\\u0640\\u064b-\\u065f' +
    '\\u0670\\u06d6-\\u06dc\\u06df-\\u06e4\\u06e7\\u06e8\\u06ea-\\u06ed\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff' +
    '\\ufe20-\\ufe2f]',
  'gu',
)
/** Some letters decompose into several characters with spaces and signs between them. */
const noPart = /[^\p{L}\p{N}\p{M}\p{Extended_Pictographic}\p{Regional_Indicator}]/gu
/** Letters that no normal form decomposes, and forms of Arabic letters that keyboards interchange. */
const letters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
  ς: 'σ',
  '\u0671': '\u0627', // alef wasla: alef
  '\u0649': '\u064a', // alef maksura, Persian and Urdu yeh: yeh
  '\u06cc': '\u064a',
  '\u06cd': '\u064a',
  '\u06d0': '\u064a',
  '\u06d2': '\u064a',
  '\u06a9': '\u0643', // keheh: kaf
  '\u06aa': '\u0643',
  '\u0629': '\u0647', // teh marbuta and other forms of heh: heh
  '\u06be': '\u0647',
  '\u06c1': '\u0647',
  '\u06c3': '\u0647',
  '\u06d5': '\u0647',
}
const lettersPattern = new RegExp(`[${Object.keys(letters).join('')}]`, 'gu')
/** Arabic and Persian digits; the last four bits are the value. */
const digits = /[\u0660-\u0669\u06f0-\u06f9]/gu
const asciiWord = /^[a-zA-Z0-9]*$/

/** Removes case, accents and width. The result contains only letters, digits and pictographs; it may be empty. */
export function fold(piece: string): string {
  if (asciiWord.test(piece)) return piece.toLowerCase()
  return piece
    .normalize('NFKD')
    .toLowerCase()
    .replace(accents, '')
    .replace(lettersPattern, (letter) => letters[letter] ?? letter)
    .replace(digits, (digit) => String(digit.charCodeAt(0) & 0xf))
    .replace(noPart, '')
    .normalize('NFC')
}

/** The tokens of a text, in order. */
export function tokenize(original: string): readonly Token[] {
  const { text, places } = normalForm(original)
  const tokens = cut(text)
  if (places === null) return tokens
  const { starts, ends } = places
  return tokens.map((token) => ({
    text: token.text,
    start: starts[token.start] as number,
    end: ends[token.end - 1] as number,
    firstEnd: token.firstEnd === 0 ? 0 : (ends[token.firstEnd - 1] as number),
  }))
}

function cut(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (const match of text.matchAll(pieces)) {
    const [piece, unspaced, word] = match
    if (unspaced !== undefined) addPairs(tokens, unspaced, match.index)
    else if (word !== undefined) addWord(tokens, text, word, match.index)
    else
      tokens.push({
        text: signs[piece] ?? piece,
        start: match.index,
        end: match.index + piece.length,
        firstEnd: 0,
      })
  }
  return tokens
}

function addWord(tokens: Token[], text: string, word: string, start: number): void {
  const folded = fold(word.length > MAX_WORD_CHARS ? firstChars(word) : word)
  // Only an accent.
  if (folded === '') return
  const end = start + word.length
  tokens.push({ text: folded, start, end, firstEnd: 0 })
  const next = text[end]
  if (next !== '+' && next !== '#') return
  wordSigns.lastIndex = end
  const [found] = wordSigns.exec(text) ?? []
  if (!found || !startsWithLetter.test(word)) return
  const withSigns = folded + found.replace(/./g, (sign) => signs[sign] ?? '')
  tokens.push({ text: withSigns, start, end: end + found.length, firstEnd: 0 })
}

const startsWithLetter = /^\p{L}/u

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

/** The first `MAX_WORD_CHARS` units, without half of a surrogate pair at the end. */
function firstChars(word: string): string {
  const last = word.charCodeAt(MAX_WORD_CHARS - 1)
  return word.slice(0, last >= 0xd800 && last < 0xdc00 ? MAX_WORD_CHARS - 1 : MAX_WORD_CHARS)
}
