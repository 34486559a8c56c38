/**
 * A TCP proxy: the network between clients and a server, which a test can cut, and lead elsewhere.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export class TcpProxy {
  readonly port: number
  readonly #sockets = new Set<Socket>()
  /** The server's side of each connection, and the client's. */
  readonly #lines = new Map<Socket, Socket>()
  /** Where new connections lead. */
  target: number

  private constructor(port: number, target: number) {
    this.port = port
    this.target = target
  }

  /** Listens on a free port until the test has ended. */
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

  /** Breaks all connections at once, whatever is on its way. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /**
   * What the server sends on the present connections is lost, its end too; what clients send still
   * arrives.
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
