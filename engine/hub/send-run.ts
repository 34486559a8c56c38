/**
 * Send run: consecutive frames for one session, sent together.
 *
 * The write to the socket is the largest cost of a small frame. Ten receipts for one sender, or a page
 * of missed events, are one write if the port supports it (`SessionPort.together`). Nothing is
 * delayed: a run ends with its batch, and before anything else is done.
 */
import type { SessionPort } from './gateway.ts'

export class SendRun {
  /** The session that the collected frames are for, or null. */
  port: SessionPort | null = null
  #frames: Uint8Array[] = []

  /** Appends a frame; its bytes are valid until the run ends. */
  add(port: SessionPort | undefined, frame: Uint8Array): void {
    if (!port) return
    if (port !== this.port) {
      if (this.port) this.end()
      this.port = port
    }
    this.#frames.push(frame)
  }

  /** Sends the collected frames. */
  end(): void {
    const { port } = this
    if (!port) return
    const frames = this.#frames
    // A send may append further frames before it returns.
    this.port = null
    this.#frames = []
    if (frames.length === 1) port.send(frames[0] as Uint8Array)
    else if (port.together) port.together(() => sendAll(port, frames))
    else sendAll(port, frames)
  }
}

function sendAll(port: SessionPort, frames: readonly Uint8Array[]): void {
  for (const frame of frames) port.send(frame)
}
