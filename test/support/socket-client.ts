/**
 * A client for tests: a plain WebSocket whose frames are stored in order until a test reads them. It never
 * waits for a time: `next` waits for a frame, `closed` for the end.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { decodeEvent, encodeRequest } from '../../protocol/codec.ts'
import type { Event, EventFields, EventName } from '../../protocol/events.ts'
import { eventFromJson } from '../../protocol/json-codec.ts'
import type { RequestFields, RequestName } from '../../protocol/requests.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'

export interface ClientOptions {
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string
  readonly protocols?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Appended to the address. */
  readonly query?: string
}

export interface Ended {
  readonly code: number
  readonly reason: string
}

export class SocketClient {
  readonly ws: WebSocket
  /** Every frame so far, decoded. */
  readonly events: Event[] = []
  readonly #listeners: ((event: Event) => void)[] = []
  #read = 0
  #ended: Ended | null = null
  #waiting: (() => void)[] = []

  constructor(port: number, { token, protocols = [], headers = {}, query = '' }: ClientOptions) {
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` }
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/ws${query}`, [...protocols], {
      headers: { ...bearer, ...headers },
    })
    this.ws.on('message', (data: Buffer, isBinary: boolean) => {
      const event = isBinary ? decodeEvent(data) : eventFromJson(data.toString())
      if (event) {
        this.events.push(event)
        for (const listener of this.#listeners) listener(event)
      }
      this.#wake()
    })
    this.ws.on('close', (code: number, reason: Buffer) => {
      this.#ended = { code, reason: reason.toString() }
      this.#wake()
    })
    // `refused` handles a refused upgrade; other errors are followed by a close.
    this.ws.on('error', () => {})
  }

  /** The socket is open. */
  async up(): Promise<this> {
    if (this.ws.readyState === WebSocket.CONNECTING) await once(this.ws, 'open')
    return this
  }

  /** Calls the listener with every frame from now on, in order. */
  onEvent(listener: (event: Event) => void): void {
    this.#listeners.push(listener)
  }

  /** The next frame of that name; earlier ones are skipped. */
  async next<N extends EventName>(
    name: N,
  ): Promise<{ readonly ref: number; readonly fields: EventFields<N> }> {
    for (;;) {
      const event = this.events[this.#read]
      if (event) {
        this.#read++
        if (event.event === name) return event as unknown as { ref: number; fields: EventFields<N> }
      } else if (this.#ended) {
        throw new Error(`closed with ${this.#ended.code} (${this.#ended.reason}) while waiting for ${name}`)
      } else await this.#more()
    }
  }

  /** The first matching frame, now or later; does not affect `next`. */
  async first(fits: (event: Event) => boolean): Promise<Event> {
    for (let at = 0; ; ) {
      for (; at < this.events.length; at++) {
        const event = this.events[at] as Event
        if (fits(event)) return event
      }
      if (this.#ended) throw new Error(`closed with ${this.#ended.code} (${this.#ended.reason})`)
      await this.#more()
    }
  }

  /** The end of the connection. */
  async closed(): Promise<Ended> {
    while (!this.#ended) await this.#more()
    return this.#ended
  }

  /** The HTTP response of a refused upgrade. */
  async refused(): Promise<{ readonly status: number; readonly retryAfter: string | undefined }> {
    const [, response] = await once(this.ws, 'unexpected-response')
    return { status: response.statusCode, retryAfter: response.headers['retry-after'] }
  }

  /** The body of that response, with the reason. */
  async refusalBody(): Promise<{ readonly code: string; readonly message: string }> {
    const [, response] = await once(this.ws, 'unexpected-response')
    let text = ''
    for await (const piece of response) text += piece
    return JSON.parse(text).error
  }

  send<N extends RequestName>(name: N, ref: number, fields: RequestFields<N>): void {
    if (this.ws.protocol === subprotocols.json)
      this.ws.send(JSON.stringify({ event: name, ref, data: fields }))
    else this.ws.send(encodeRequest(name, ref, fields))
  }

  /** Pauses and resumes reading, like a slow reader: the kernel's buffers fill up. */
  get reading(): { readonly stop: () => void; readonly go: () => void } {
    const socket = (this.ws as unknown as { readonly _socket: Socket })._socket
    return { stop: () => socket.pause(), go: () => socket.resume() }
  }

  /** A frame arrived, or the connection ended. */
  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
