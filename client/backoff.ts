/**
 * Backoff: the delay before a retry. Exponential with full jitter, so that clients that lost their
 * server at the same moment do not all reconnect at the same moment.
 */
import type { Clock } from './clock.ts'

const BASE_MS = 500
const CAP_MS = 30_000

/** Milliseconds to wait after `failures` failures in a row, from 1. */
export function backoffMs(failures: number, clock: Pick<Clock, 'random'>): number {
  // The exponent is limited, so that the result cannot be infinite; the cap applies long before.
  return Math.floor(clock.random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(failures - 1, 16)))
}
