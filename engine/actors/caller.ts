/** The sender of a request: the session, the number of the request in it, and the user. */
export interface Caller {
  readonly session: number
  readonly ref: number
  readonly userId: string
  readonly name: string
  /** True for a request of the service itself, not of the user (`Engine.request`). */
  readonly service?: boolean | undefined
}
