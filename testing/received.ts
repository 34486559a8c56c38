/**
 * Received: what a session or client receives, for assertions.
 */
import type { EventFields, EventName } from '../protocol/events.ts'

/** A session of an engine, or a `ChatClient`. */
export interface Listening<N extends EventName> {
  on(event: N, listener: (fields: EventFields<N>) => void): () => void
}

/**
 * The events of one kind that arrive from now on, in order; the list grows.
 *
 * @example
 * ```ts
 * const posts = collect(bruno, 'new_message')
 * await ana.sendMessage({ groupId, content: 'hello' })
 * ```
 */
export function collect<N extends EventName>(
  session: Listening<NoInfer<N>>,
  event: N,
): readonly EventFields<N>[] {
  const received: EventFields<N>[] = []
  session.on(event, (fields) => void received.push(fields))
  return received
}

/**
 * The next event of one kind that satisfies the condition. Call it before what causes the event.
 *
 * @example
 * ```ts
 * const reply = nextEvent(ana, 'new_message', ({ message }) => message.senderId === 'bot')
 * await ana.sendMessage({ groupId, content: 'help' })
 * const { message } = await reply
 * ```
 */
export function nextEvent<N extends EventName>(
  session: Listening<NoInfer<N>>,
  event: N,
  fits: (fields: EventFields<N>) => boolean = () => true,
): Promise<EventFields<N>> {
  return new Promise((resolve) => {
    const stop = session.on(event, (fields) => {
      if (!fits(fields)) return
      stop()
      resolve(fields)
    })
  })
}
