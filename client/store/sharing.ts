/**
 * Sharing: a new snapshot reuses the parts of the one before that are equal, so that what is shown of them
 * is not rendered again.
 */

/** `before` if it is equal; else `after`, which must be new, with the equal values of `before`. */
export function share<T extends object>(before: T | null | undefined, after: T): T {
  if (!before) return after
  let isSame = Object.keys(before).length === Object.keys(after).length
  for (const key of Object.keys(after) as (keyof T)[]) {
    if (isEqual(before[key], after[key])) after[key] = before[key]
    else isSame = false
  }
  return isSame ? before : after
}

/** `before` if it has the same elements. */
export function shareList<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  return before.length === after.length && after.every((one, at) => one === before[at]) ? before : after
}

/** Whether two values of JSON are equal. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => isEqual(a[key as keyof typeof a], b[key as keyof typeof b]))
}
