/**
 * Messages of emoji alone are shown large.
 */

const one =
  '(?:\\p{Regional_Indicator}{2}|[0-9#*]\\uFE0F?\\u20E3|\\p{Extended_Pictographic}(?:\\uFE0F|\\p{Emoji_Modifier})?(?:[\\u{E0020}-\\u{E007F}]+|(?:\\u200D\\p{Extended_Pictographic}(?:\\uFE0F|\\p{Emoji_Modifier})?)*))'
const few = new RegExp(`^\\s*(?:${one}\\s*){1,6}$`, 'u')
/** The signs © ® ™ and the like are pictographic, but text. */
const textSigns = /[\u00a9\u00ae\u2122\u203c\u2049\u2139\u2194-\u21aa](?!\uFE0F)/

/** Whether the text is one to six emoji and nothing else. */
export function isEmojiOnly(text: string): boolean {
  return text.length <= 120 && few.test(text) && !textSigns.test(text)
}
