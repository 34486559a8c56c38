/**
 * Backoff: how long to wait before trying again. Exponential with full jitter, so that ten
 * thousand clients that lost their server at one moment do not all come back at another.
 */
import type { Clock } from './clock.ts'

const BASE_MS = 500
const CAP_MS = 30_000

/** Milliseconds to wait before the try that follows the `failures`-th failure in a row, from 1. */
export function backoffMs(failures: number, clock: Pick<Clock, 'random'>): number {
  // Above 2^16 the cap holds anyway, and infinities stay out.
  return Math.floor(clock.random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(failures - 1, 16)))
}
