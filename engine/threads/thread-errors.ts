/**
 * Thread errors: what ends a thread arrives in the main thread with its message.
 *
 * Of an error that is not one of the language itself, such as those of SQLite, only its own fields
 * reach the other thread. It is thrown again as a plain `Error`; the thread ends as it would.
 */
export function rethrowAsErrors(): void {
  process.on('uncaughtException', (thrown: unknown) => {
    throw toError(thrown)
  })
}

function toError(thrown: unknown): Error {
  const { name, message, code, stack } = (thrown ?? {}) as {
    readonly [field in 'name' | 'message' | 'code' | 'stack']?: unknown
  }
  if (typeof message !== 'string') return new Error(String(thrown))
  const error = new Error(code === undefined ? message : `${message} (${code})`)
  error.name = String(name ?? 'Error')
  if (typeof stack === 'string') error.stack = stack
  return error
}
