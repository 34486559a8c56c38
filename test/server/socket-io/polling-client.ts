/**
 * A client of long polling that upgrades to a WebSocket when a test says so, as `socket.io-client` does:
 * it polls until the server has answered the probe, waits for the poll under way, and changes over.
 */
import { Agent, request } from 'node:http'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { tokenOf } from '../operation/server.ts'
import type { Payload } from './clients.ts'

export type Way = 'polling' | 'websocket'

export class PollingClient {
  /** Called with every event, and how it arrived. */
  onEvent: (name: string, payload: Payload, way: Way) => void = () => {}
  /** Called when the session ends. */
  onEnded: (why: string) => void = () => {}
  /** Why the session ended, if it did. */
  ended: string | null = null
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 })
  readonly #port: number
  #query = 'EIO=4&transport=polling'
  #ws: WebSocket | null = null
  /** The server has answered the probe: no further poll. */
  #probed = false
  #polling: Promise<void> = Promise.resolve()

  private constructor(port: number) {
    this.#port = port
    onTestFinished(() => {
      this.ended ??= 'the end of the test'
      this.#ws?.terminate()
      this.#agent.destroy()
    })
  }

  /** A client that has received `connected`. */
  static async connect(server: { readonly port: number }, userId: string): Promise<PollingClient> {
    const client = new PollingClient(server.port)
    const open = await client.#http('GET')
    client.#query += `&sid=${JSON.parse(open.slice(1)).sid}`
    await client.#http('POST', `40{"token":"${await tokenOf(userId)}"}`)
    const connected = new Promise<void>((resolve) => {
      client.onEvent = (name) => {
        if (name === 'connected') resolve()
      }
    })
    client.#polling = client.#poll()
    await connected
    return client
  }

  /** Changes over to a WebSocket. */
  upgrade(): void {
    const query = this.#query.replace('polling', 'websocket')
    const ws = new WebSocket(`ws://127.0.0.1:${this.#port}/socket.io/?${query}`)
    this.#ws = ws
    ws.on('open', () => ws.send('2probe'))
    ws.on('error', ({ message }) => this.#end(message))
    ws.on('close', (code) => this.#end(`closed with ${code}`))
    ws.on('message', (data: Buffer) => {
      const packet = data.toString()
      if (this.#probed) this.#handle(packet, 'websocket')
      else if (packet === '3probe') void this.#changeOver(ws)
      else this.#end(`${packet} before the probe was answered`)
    })
  }

  async #changeOver(ws: WebSocket): Promise<void> {
    this.#probed = true
    await this.#polling
    ws.send('5')
  }

  async #poll(): Promise<void> {
    while (!this.#probed && this.ended === null) {
      const body = await this.#http('GET').catch((error: Error) => this.#end(error.message))
      for (const packet of body?.split('\x1e') ?? []) this.#handle(packet, 'polling')
    }
  }

  #handle(packet: string, way: Way): void {
    if (packet === '2') {
      if (way === 'websocket') this.#ws?.send('3')
      else void this.#http('POST', '3').catch(() => {})
    } else if (packet.startsWith('42')) {
      const [name, payload] = JSON.parse(packet.slice(2))
      this.onEvent(name, payload, way)
    } else if (packet !== '6' && !packet.startsWith('40')) this.#end(`received ${packet}`)
  }

  #end(why: string): undefined {
    if (this.ended !== null) return
    this.ended = why
    this.onEnded(why)
  }

  #http(method: 'GET' | 'POST', body?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const path = `/socket.io/?${this.#query}`
      const options = { host: '127.0.0.1', port: this.#port, path, method, agent: this.#agent }
      const sent = request(options, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          text += piece
        })
        response.on('end', () =>
          response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode} ${text}`)),
        )
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}
