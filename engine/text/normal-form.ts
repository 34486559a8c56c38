/**
 * Normal form: the form of texts and queries before they are split into tokens.
 *
 * NFKC without default-ignorable code points (variation selectors, zero-width characters, soft
 * hyphens), so that every spelling of the same text is the same string: NFC and NFD, full and half
 * width. Snippets show the original text; `starts` and `ends` map positions back to it.
 */

export interface NormalForm {
  readonly text: string
  /**
   * For each UTF-16 unit of `text`: where its source characters begin and end in the original. Null
   * if `text` equals the original.
   */
  readonly places: { readonly starts: readonly number[]; readonly ends: readonly number[] } | null
}

/** Letters that are often written as an apostrophe: Ukrainian and Hawaiian. */
const APOSTROPHES = '\\u02bb\\u02bc'
const changes = new RegExp(`[\\p{Default_Ignorable_Code_Point}${APOSTROPHES}]`, 'u')
const ignorable = /\p{Default_Ignorable_Code_Point}+/gu
const apostrophes = new RegExp(`[${APOSTROPHES}]`, 'gu')
const ascii = /^[\0-\x7f]*$/
/**
 * Characters that may compose into one: a base and its marks, the letters of a Hangul syllable, also of
 * half width, or a vowel of Kirat Rai, which is a letter to Unicode. Plain ASCII is copied as a whole.
 */
const JOINS = '\\p{M}\\p{Default_Ignorable_Code_Point}\\u1160-\\u11ff\\ud7b0-\\ud7ff\\uff9e\\uff9f\\u{16d67}'
const clusters = new RegExp(`[\\0-\\x7f]+(?![${JOINS}])|[^][${JOINS}\\uffa0-\\uffdc]*`, 'gu')

/** The normal form of a text. */
export function normalForm(original: string): NormalForm {
  if (ascii.test(original)) return { text: original, places: null }
  if (!changes.test(original) && original.normalize('NFKC') === original)
    return { text: original, places: null }
  let text = ''
  const starts: number[] = []
  const ends: number[] = []
  for (const { 0: cluster, index } of original.matchAll(clusters)) {
    const normal = normalized(cluster)
    text += normal
    const isCopy = normal.length === cluster.length && normal === cluster
    const end = index + cluster.length
    for (let i = 0; i < normal.length; i++) {
      starts.push(isCopy ? index + i : index)
      ends.push(isCopy ? index + i + 1 : end)
    }
  }
  return { text, places: { starts, ends } }
}

function normalized(cluster: string): string {
  if (ascii.test(cluster)) return cluster
  return cluster.replace(ignorable, '').normalize('NFKC').replace(ignorable, '').replace(apostrophes, "'")
}
