import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'

const built = (file: string) => new URL(`../../../dist/engine/${file}`, import.meta.url).href

describe('an error that ends a thread', () => {
  it('has its message and code in the main thread, also if SQLite threw it', async () => {
    const code = `
      Promise.all([import('${built('threads/thread-errors.js')}'), import('${built('storage/sqlite/driver.js')}')])
        .then(([{ rethrowAsErrors }, { Database }]) => {
          rethrowAsErrors()
          setImmediate(() => new Database(':memory:').exec('SELEC'))
        })`
    const worker = new Worker(code, { eval: true })
    const [error] = await once(worker, 'error')
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toBe('SqliteError: near "SELEC": syntax error (SQLITE_ERROR)')
  })
})
