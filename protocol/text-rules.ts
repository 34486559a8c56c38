/**
 * Text rules: the characters that a name may contain, and what counts as visible (TXT-1).
 *
 * A name with line breaks or direction overrides can look like another name. Marks that only set
 * the direction of adjacent characters (U+200E, U+200F, U+061C) are allowed, and so are the
 * joiners of emoji.
 */

/** Control characters, line and paragraph separators, bidirectional embeddings, overrides and isolates. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

/** Any character except white space, invisible characters, the empty Braille cell and annotation anchors. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cs}\u2800\ufff9-\ufffb]/u

/** Whether a name contains no unsafe character. */
export function isSafeName(value: string): boolean {
  return !UNSAFE.test(value)
}

/** The name without unsafe characters. */
export function safeName(value: string): string {
  return value.replace(new RegExp(UNSAFE, 'gu'), '')
}

/** Whether at least one character is visible. */
export function hasVisible(value: string): boolean {
  return VISIBLE.test(value)
}

/** The last part of a path of any system: `x.png` of `C:\photos\x.png`. Empty if there is none. */
export function lastPathPart(path: string): string {
  const parts = path.split(/[/\\]/).filter((part) => part !== '' && part !== '.' && part !== '..')
  return parts.at(-1) ?? ''
}
