/**
 * Emoji: validates reactions and normalises their form (RCT-1).
 *
 * A reaction is one emoji that Unicode recommends for interchange (an RGI sequence of UTS #51), or a custom
 * `:name:`. Clients often add or omit variation selectors: they are set as in the recommended form, after
 * each character that is text by default unless a skin tone follows.
 */
// The flag `v` is newer than the language level of the compiled code.
const rgi = '^\\p{RGI_Emoji}$'
const sequence = new RegExp(rgi, 'v')
const custom = /^:[\p{L}\p{M}\p{N}_+.-]{1,62}:$/u
const textByDefault = /^(?!\p{Emoji_Presentation})\p{Emoji}$/u
const skinTone = /^\p{Emoji_Modifier}$/u
const selectors = /[\uFE0E\uFE0F]/gu

/** The normal form of a reaction; null if it is not one. */
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
