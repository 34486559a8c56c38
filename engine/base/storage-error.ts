/** The data directory cannot be used; the message says why and is meant for the operator. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
}
