/**
 * Conditions: tests wait for what they expect to become true, never for time to pass.
 */
import { vi } from 'vitest'

/** Waits until `check` no longer throws, and returns what it returned. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 50_000, interval: 5 })
}
