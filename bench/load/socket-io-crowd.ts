/**
 * Socket.IO crowd: many clients of Socket.IO over plain WebSockets, as lean as those of the binary protocol.
 *
 * Events are found by the first characters of their names; nothing is parsed.
 */
import { signToken, type Target, until } from './crowd.ts'
import { LeanClient } from './lean-client.ts'

const AT_ONCE = 64
/** The server limits newcomers of one address. */
const ADDRESSES = 200
const PATH = '/socket.io/?EIO=4&transport=websocket'
const OPEN = 0x30
const PING = 0x32
const MESSAGE = 0x34
const CONNECT = 0x30
const EVENT = 0x32
const ACK = 0x33
/** Where the name of an event begins: `42["`. */
const NAME = 4

export type SocketIoEvent = 'connected' | 'created' | 'posted' | 'sent' | 'ack' | 'refused' | 'other'

export class SocketIoCrowd {
  readonly clients: LeanClient[] = []
  readonly counts: Record<SocketIoEvent, number> = {
    connected: 0,
    created: 0,
    posted: 0,
    sent: 0,
    ack: 0,
    refused: 0,
    other: 0,
  }
  lost = 0
  /** Bytes of the last `new_message`. */
  postBytes = 0
  /** Called with each `message_sent`. */
  onSent: ((client: LeanClient) => void) | null = null
  readonly #target: Target

  constructor(target: Target) {
    this.#target = target
  }

  /** Connects clients `u<from>` and following, and waits until each is connected. */
  async connect(count: number, from = 0): Promise<void> {
    const before = this.counts.connected
    for (let i = 0; i < count; i++) {
      await until(
        () => i - (this.counts.connected - before) < AT_ONCE,
        () => `${this.counts.connected - before} of ${i} are connected`,
      )
      const user = `u${from + i}`
      const auth = Buffer.from(`40${JSON.stringify({ token: signToken(user, this.#target.secret), user })}`)
      this.clients.push(
        new LeanClient(
          from + i,
          this.#target.port,
          '',
          (client, bytes, start, end) => this.#receive(client, auth, bytes, start, end),
          () => {
            this.lost += 1
          },
          { path: PATH, isText: true, localAddress: `127.0.1.${1 + (i % ADDRESSES)}` },
        ),
      )
    }
    await this.expect('connected', before + count)
  }

  emit(client: LeanClient, name: string, fields: object, ackId: number | '' = ''): void {
    client.send(Buffer.from(`42${ackId}${JSON.stringify([name, fields])}`))
  }

  /** Asks all for an acknowledgement, which arrives after everything that was sent before. */
  async settle(): Promise<void> {
    const before = this.counts.ack
    for (const client of this.clients) this.emit(client, 'ping', {}, 1)
    await this.expect('ack', before + this.clients.length)
  }

  async expect(event: SocketIoEvent, total: number): Promise<void> {
    await until(
      () => this.counts[event] >= total,
      () => `expected ${total} ${event}, received ${JSON.stringify(this.counts)}; lost ${this.lost}`,
    )
  }

  end(): void {
    for (const client of this.clients) client.end()
  }

  #receive(client: LeanClient, auth: Buffer, bytes: Buffer, start: number, end: number): void {
    const type = bytes[start]
    if (type === OPEN) return client.send(auth)
    if (type === PING) return client.send(Buffer.from('3'))
    if (type !== MESSAGE) return
    const packet = bytes[start + 1]
    if (packet === CONNECT) return
    const event = packet === EVENT ? eventAt(bytes, start + NAME) : packet === ACK ? 'ack' : 'refused'
    this.counts[event] += 1
    if (event === 'posted') {
      client.posts += 1
      this.postBytes = end - start
    } else if (event === 'sent') this.onSent?.(client)
    else if (event === 'refused') throw new Error(`refused: ${bytes.toString('latin1', start, end)}`)
  }
}

function eventAt(bytes: Buffer, at: number): SocketIoEvent {
  switch (bytes[at]) {
    case 0x6e: // new_message
      return 'posted'
    case 0x6d: // message_sent, message_error
      return bytes[at + 8] === 0x73 ? 'sent' : 'refused'
    case 0x63: // connected, contact_status_changed
      return bytes[at + 3] === 0x6e ? 'connected' : 'other'
    case 0x67: // group_created, group
      return bytes[at + 5] === 0x5f ? 'created' : 'other'
    case 0x65: // error
      return 'refused'
    default:
      return 'other'
  }
}
