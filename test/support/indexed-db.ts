/**
 * IndexedDB in Node, for one test: the globals of a browser over an empty, in-memory implementation.
 */
import * as fake from 'fake-indexeddb'
import { onTestFinished } from 'vitest'

const globals = globalThis as unknown as Record<string, unknown>

/**
 * Returns the factory, which is removed when the test ends. The classes stay: what a test has started may still
 * need them.
 */
export function useIndexedDb(): IDBFactory {
  const factory = new fake.IDBFactory()
  const values = { ...fake, indexedDB: factory } as Record<string, unknown>
  const names = Object.keys(values).filter((name) => name === 'indexedDB' || name.startsWith('IDB'))
  for (const name of names) globals[name] = values[name]
  onTestFinished(() => {
    delete globals['indexedDB']
  })
  return factory
}

/** As a browser whose quota is reached: writes of messages, of files or of everything fail until the returned function is called. */
export function refusePuts(which: 'items' | 'files' | 'all'): () => void {
  const { put } = IDBObjectStore.prototype
  IDBObjectStore.prototype.put = function (...row) {
    if (which !== 'all' && this.name !== which) return put.apply(this, row)
    // As in a browser, nothing of the transaction is stored.
    this.transaction.abort()
    throw new DOMException('the quota is reached', 'QuotaExceededError')
  }
  return () => {
    IDBObjectStore.prototype.put = put
  }
}
