/**
 * Time limit: how long a hook is waited for.
 */

/** Calls `then` after that time, unless the function returned was called before. */
export type After = (delayMs: number, then: () => void) => () => void

/** Runs a hook; rejects with its error, or with one that says it was late. */
export function withinTime<T>(
  hook: string,
  run: () => T | Promise<T>,
  limitMs: number,
  after: After,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(limitMs, () => reject(new Error(`the hook ${hook} took more than ${limitMs} ms`)))
    Promise.resolve().then(run).then(resolve, reject).finally(cancel)
  })
}
