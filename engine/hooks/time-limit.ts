/**
 * Time limit: runs a hook with a timeout, and logs a hook that failed.
 */
import type { EngineLogger } from '../base/engine-logger.ts'

/** Calls `then` after `delayMs`, unless the returned function is called before. */
export type After = (delayMs: number, then: () => void) => () => void

/** Runs a hook, or what `what` names; rejects with its error or with a timeout error. A later result is ignored. */
export function withinTime<T>(
  what: string,
  run: () => T | Promise<T>,
  limitMs: number,
  after: After,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(limitMs, () => reject(new Error(`${what} took more than ${limitMs} ms`)))
    Promise.resolve().then(run).then(resolve, reject).finally(cancel)
  })
}

/** Logs the failure of a hook with its cause, which is not sent to clients. */
export function logFailure(logger: EngineLogger, error: unknown): void {
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
  logger.error({ cause }, 'a hook failed')
}
