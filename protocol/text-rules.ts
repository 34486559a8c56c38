/**
 * Text rules: which characters a name may hold, and what counts as visible (TXT-1).
 *
 * A name that breaks the line it stands in, or turns it around, can pass for another one. Marks
 * that only set the direction of their neighbours (U+200E, U+200F, U+061C) are left alone, and so
 * is what emoji are joined with.
 */

/** Control characters, line and paragraph separators, bidirectional embeddings, overrides and isolates. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

/** Anything but white space, what is not drawn, the empty Braille cell and annotation anchors. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cs}\u2800\ufff9-\ufffb]/u

/** Whether a name holds nothing that could disguise it. */
export function isSafeName(value: string): boolean {
  return !UNSAFE.test(value)
}

/** The name without what could disguise it. */
export function safeName(value: string): string {
  return value.replace(new RegExp(UNSAFE, 'gu'), '')
}

/** Whether there is something to be seen. */
export function hasVisible(value: string): boolean {
  return VISIBLE.test(value)
}

/** The last part of a path of any system: `x.png` of `C:\photos\x.png`; empty where there is none. */
export function lastPathPart(path: string): string {
  const parts = path.split(/[/\\]/).filter((part) => part !== '' && part !== '.' && part !== '..')
  return parts.at(-1) ?? ''
}
