/**
 * Link error: why a link could not be made or was ended.
 */
export class LinkError extends Error {
  override readonly name = 'LinkError'
  /** Whether another attempt would fail in the same way: the keys or the protocol versions differ. */
  readonly permanent: boolean

  constructor(message: string, permanent = false) {
    super(message)
    this.permanent = permanent
  }
}
