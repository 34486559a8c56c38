/**
 * Open store: the store of the signed-in user.
 */
import type { Store } from '../../client/store/types.ts'
import type { Session } from './session.ts'

interface StoreOptions {
  readonly url: string
  readonly token: () => string | Promise<string>
  /** Of a page of the server; a page of another service has none. */
  readonly session?: Session
}

export function openStore(_: StoreOptions): Store {
  throw new Error('this build has no store')
}
