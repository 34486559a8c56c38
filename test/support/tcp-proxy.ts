/**
 * A TCP proxy: the network between clients and a server, which a test can interrupt and redirect.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export class TcpProxy {
  readonly port: number
  readonly #sockets = new Set<Socket>()
  /** The server's side of each connection, and the client's. */
  readonly #lines = new Map<Socket, Socket>()
  /** The target of new connections. */
  target: number

  private constructor(port: number, target: number) {
    this.port = port
    this.target = target
  }

  /** Listens on a free port until the end of the test. */
  static async start(target: number): Promise<TcpProxy> {
    const server = createServer({ noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new TcpProxy((server.address() as AddressInfo).port, target)
    server.on('connection', (socket) => proxy.#join(socket))
    onTestFinished(async () => {
      proxy.cut()
      await new Promise((resolve) => server.close(resolve))
    })
    return proxy
  }

  /** Destroys all connections at once, with all bytes in transit. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /**
   * Bytes that the server sends on the current connections are lost, including the end; bytes of clients
   * still arrive.
   */
  mute(): void {
    for (const [far, near] of this.#lines) {
      far.unpipe(near)
      far.resume()
      far.removeAllListeners('close')
    }
  }

  #join(near: Socket): void {
    const far = connect({ port: this.target, host: '127.0.0.1', noDelay: true })
    this.#lines.set(far, near)
    far.on('close', () => this.#lines.delete(far))
    near.pipe(far)
    far.pipe(near)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
  }
}
