/**
 * Child messages: what a supervisor and its processes tell each other, over the IPC channel of Node.
 *
 *   child → supervisor   `loaded` (an engine that can start), `ready`, `failed`
 *   supervisor → child   `start` (an engine may open the data folder), `stop_listening` (a front that is
 *                        about to be replaced)
 *
 * A process is stopped by SIGTERM, and stops by itself when the supervisor has ended.
 */
import type { ChildProcess } from 'node:child_process'

/** Where a front listens; an engine reports an empty object. */
export interface Listening {
  readonly port?: number
  readonly url?: string
}

export type FromChild =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'ready'; readonly listening: Listening }
  | { readonly kind: 'failed'; readonly why: string }

export type ToChild = 'start' | 'stop_listening'

/** The supervisor, as a process that it started uses it. */
export interface Parent {
  report(message: FromChild): void
  /** Calls `then` for each such message. */
  on(message: ToChild, then: () => void): void
  /** Resolves when the supervisor has ended. */
  readonly ended: Promise<void>
}

type Own = Pick<NodeJS.Process, 'send' | 'on' | 'once'>

/** The supervisor of this process; null if it was started by hand. */
export function parentOf(own: Own): Parent | null {
  if (!own.send) return null
  return {
    // A message to a supervisor that has ended fails; `ended` ends this process.
    report: (message) => void own.send?.(message, undefined, undefined, () => {}),
    on: (message, then) => void own.on('message', (received) => received === message && then()),
    ended: new Promise((resolve) => own.once('disconnect', () => resolve())),
  }
}

/** Calls `then` with each such message of a child. */
export function onReport<K extends FromChild['kind']>(
  child: ChildProcess,
  kind: K,
  then: (message: Extract<FromChild, { kind: K }>) => void,
): void {
  child.on('message', (received) => {
    const message = received as FromChild
    if (message.kind === kind) then(message as Extract<FromChild, { kind: K }>)
  })
}
