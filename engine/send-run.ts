/**
 * Send run: frames for one session that come right after each other, sent together.
 *
 * A write to a socket is what a small frame costs most. Ten receipts for one sender, or a page of
 * missed events, are one write where the port can do that (`SessionPort.together`). Nothing is
 * held back: a run ends with the batch that it is in, and before anything else is done.
 */
import type { SessionPort } from './gateway.ts'

export class SendRun {
  #port: SessionPort | null = null
  #frames: Uint8Array[] = []

  /** Adds a frame, behind those before it; they are valid until the run ends. */
  add(port: SessionPort | undefined, frame: Uint8Array): void {
    if (!port) return
    if (port !== this.#port) {
      this.end()
      this.#port = port
    }
    this.#frames.push(frame)
  }

  /** Sends what has gathered. */
  end(): void {
    const port = this.#port
    if (!port) return
    const frames = this.#frames
    // What is sent may lead to more, before this returns.
    this.#port = null
    this.#frames = []
    const send = () => {
      for (const frame of frames) port.send(frame)
    }
    if (frames.length > 1 && port.together) port.together(send)
    else send()
  }
}
