/**
 * Watchdog: notices a thread that has stopped answering, without having failed.
 *
 * A disk that hangs blocks the thread that writes to it; an endless loop blocks any thread. Neither
 * is an error that could be caught. So the main thread sends each thread a ping over a port of its
 * own, one at a time, once a second; a thread that leaves one unanswered for `SILENT_AFTER_MS` is
 * reported by `silent`, until it answers.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import { startTimer } from './timer.ts'

const PING_EVERY_MS = 1_000
const SILENT_AFTER_MS = 5_000

/** Time, handed in. */
export interface WatchdogDeps extends Pick<Clock, 'steadyNow'> {
  readonly after: (delayMs: number, then: () => void) => () => void
}

interface Watched {
  readonly name: string
  readonly port: MessagePort
  /** When the ping that is not answered yet was sent; null where none is. */
  pingedAtMs: number | null
  /** The time from the last answered ping to its answer. */
  answerMs: number
}

const machine: WatchdogDeps = { steadyNow: () => performance.now(), after: startTimer }

export class Watchdog {
  readonly #deps: WatchdogDeps
  readonly #watched: Watched[] = []
  #cancel: () => void

  constructor(deps: WatchdogDeps = machine) {
    this.#deps = deps
    this.#cancel = deps.after(PING_EVERY_MS, () => this.#ping())
  }

  /** Watches one more thread; the port returned goes to it, for `answerPings`. */
  watch(name: string): MessagePort {
    const { port1, port2 } = new MessageChannel()
    const watched: Watched = { name, port: port1, pingedAtMs: null, answerMs: 0 }
    port1.on('message', () => {
      watched.answerMs = this.#deps.steadyNow() - (watched.pingedAtMs ?? 0)
      watched.pingedAtMs = null
    })
    port1.unref()
    this.#watched.push(watched)
    return port2
  }

  /** The name of a thread that does not answer, or null. */
  get silent(): string | null {
    const before = this.#deps.steadyNow() - SILENT_AFTER_MS
    const silent = this.#watched.find(({ pingedAtMs }) => pingedAtMs !== null && pingedAtMs <= before)
    return silent?.name ?? null
  }

  /** The time that the thread needed for the last ping, or has needed so far: the delay of its event loop. */
  answerMs(name: string): number {
    const watched = this.#watched.find((one) => one.name === name)
    if (!watched) return 0
    const { pingedAtMs, answerMs } = watched
    return pingedAtMs === null ? answerMs : Math.max(answerMs, this.#deps.steadyNow() - pingedAtMs)
  }

  /** Ends the pings. */
  close(): void {
    this.#cancel()
    for (const { port } of this.#watched) port.close()
  }

  #ping(): void {
    for (const watched of this.#watched) {
      if (watched.pingedAtMs !== null) continue
      watched.pingedAtMs = this.#deps.steadyNow()
      watched.port.postMessage(0)
    }
    this.#cancel = this.#deps.after(PING_EVERY_MS, () => this.#ping())
  }
}

/** The thread's side. The port does not keep the thread alive. */
export function answerPings(port: MessagePort): void {
  port.on('message', () => port.postMessage(0))
  port.unref()
}
