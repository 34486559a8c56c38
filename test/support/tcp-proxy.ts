/**
 * A TCP proxy: the network between clients and a server, which a test can interrupt and redirect.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { onTestFinished } from 'vitest'

export class TcpProxy {
  readonly port: number
  readonly #sockets = new Set<Socket>()
  /** The server's side of each connection, and the client's. */
  readonly #lines = new Map<Socket, Socket>()
  /** Bytes of clients that still pass, and what waits for more. */
  #left = Number.POSITIVE_INFINITY
  readonly #held: (() => void)[] = []
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

  /** So many more bytes of clients pass, in whole chunks; the others wait for `release`. */
  holdAfter(bytes: number): void {
    this.#left = bytes
  }

  release(): void {
    this.#left = Number.POSITIVE_INFINITY
    for (const pass of this.#held.splice(0)) pass()
  }

  #gate(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const pass = () => done(null, chunk)
        if (this.#left <= 0) return void this.#held.push(pass)
        this.#left -= chunk.length
        pass()
      },
    })
  }

  #join(near: Socket): void {
    const far = connect({ port: this.target, host: '127.0.0.1', noDelay: true })
    this.#lines.set(far, near)
    far.on('close', () => this.#lines.delete(far))
    near.pipe(this.#gate()).pipe(far)
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
