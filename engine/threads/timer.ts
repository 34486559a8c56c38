/**
 * Timer: the machine's own, for shards that run in real time.
 */

/** Calls `then` once, `delayMs` from now, unless the function returned was called before. */
export function startTimer(delayMs: number, then: () => void): () => void {
  const timer = setTimeout(then, delayMs)
  return () => clearTimeout(timer)
}
