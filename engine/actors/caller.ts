/** Who asks: a session, the number it gave its request, and the user behind it. */
export interface Caller {
  readonly session: number
  readonly ref: number
  readonly userId: string
  readonly name: string
  /** The request is the service's own, not the user's (`Engine.request`). */
  readonly service?: boolean | undefined
}
