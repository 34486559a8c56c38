/**
 * Emoji: what a reaction may be, and which writings of it are one (RCT-1).
 *
 * One emoji as Unicode recommends it for interchange (an RGI sequence of UTS #51), or a custom
 * `:name:`. Variation selectors are often left out or added: they are set as the recommended form
 * has them, behind each character that is text by default unless a skin tone follows.
 */
// The flag `v` is newer than the language level that the code is compiled for.
const rgi = '^\\p{RGI_Emoji}$'
const sequence = new RegExp(rgi, 'v')
const custom = /^:[\p{L}\p{M}\p{N}_+.-]{1,62}:$/u
const textByDefault = /^(?!\p{Emoji_Presentation})\p{Emoji}$/u
const skinTone = /^\p{Emoji_Modifier}$/u
const selectors = /[\uFE0E\uFE0F]/gu

/** The one form of a reaction; null for what is none. */
export function reactionKey(written: string): string | null {
  if (custom.test(written)) return written.normalize('NFC')
  const chars = [...written.replace(selectors, '')]
  const key = chars
    .map((char, i) =>
      textByDefault.test(char) && !skinTone.test(chars[i + 1] ?? '') ? `${char}\uFE0F` : char,
    )
    .join('')
  return sequence.test(key) ? key : null
}
