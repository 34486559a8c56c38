/**
 * Skin tone: the tone that the user chose for emoji of people and hands.
 *
 * An emoji takes it where Unicode has a form with one tone. Of couples there are forms with two; they, and
 * families, stay yellow.
 */

/** By the value of the preference. */
export const skinTones = {
  none: '',
  light: '🏻',
  mediumLight: '🏼',
  medium: '🏽',
  mediumDark: '🏾',
  dark: '🏿',
} as const

export type SkinTone = keyof typeof skinTones

const base = /(\p{Emoji_Modifier_Base})\uFE0F?/gu
/** A base by its property, without forms in a tone. */
const FAMILY = '👪'

/** The emoji in a tone; the emoji itself if it has no such form. */
export function withSkinTone(emoji: string, tone: SkinTone): string {
  const sign = skinTones[tone]
  if (!sign || emoji.startsWith(FAMILY) || emoji.match(base)?.length !== 1) return emoji
  return emoji.replace(base, `$1${sign}`)
}
