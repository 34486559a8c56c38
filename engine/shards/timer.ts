/**
 * Timer: the machine's own, for shards that run in real time.
 */

/** Calls `then` once after that time, unless the function returned was called before. */
export type StartTimer = (delayMs: number, then: () => void) => () => void

/** Calls `then` once, `delayMs` from now, unless the function returned was called before. */
export function startTimer(delayMs: number, then: () => void): () => void {
  const timer = setTimeout(then, delayMs)
  return () => clearTimeout(timer)
}
