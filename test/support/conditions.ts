/**
 * Conditions: tests wait until an expectation holds, never for a fixed time.
 */
import { vi } from 'vitest'

/** Waits until `check` no longer throws, and returns what it returned. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 50_000, interval: 5 })
}
