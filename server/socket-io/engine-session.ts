/**
 * Engine session: one Engine.IO 4 session, over a WebSocket or over long polling.
 *
 * A session that polls queues its packets until the next poll; one with a WebSocket sends them at once. An
 * upgrade from the first to the second moves the queue and loses nothing. Heartbeats are checked by the
 * sweep. Not bounded here: the user checks `unsentBytes` before it sends, like that of a socket.
 */
import type { Socket } from '../transport/transport.ts'
import type { LimitClaim } from './fixed-limits.ts'
import { NOOP, type Poll, PollQueue } from './poll-queue.ts'

/** What uses a session. */
export interface SessionUser {
  /** Empty before the client is authenticated. */
  readonly userId: string
  /** A message: text without its packet type, or bytes. May throw; the session is then closed. */
  received(message: string | Uint8Array): void
  /** The client answered a ping. */
  ponged(): void
  drained(): void
  /** Packets are sent over this WebSocket from now on. */
  upgraded(socket: Socket): void
  /** The session is closed, by either side. */
  closed(): void
}

/** What creates sessions. */
export interface SessionOwner {
  /** The client is authenticated, or the session is closed. */
  settled(session: EngineSession): void
  /** The client, which was this user, has to authenticate again. */
  distrusted(session: EngineSession, userId: string): void
  closed(session: EngineSession): void
}

/** A WebSocket that is not used yet. */
interface Probe {
  readonly socket: Socket
  readonly sinceMs: number
  isAnswered: boolean
}

/** Client and server count as disconnected after both (PRS-1). */
export const PING_INTERVAL_MS = 25_000
export const PING_TIMEOUT_MS = 20_000
/** A client that was paused with the server has time to answer. */
const MIN_PING_TIMEOUT_MS = 10_000
const UPGRADE_TIMEOUT_MS = 10_000
const PING = '2'
const PONG = '3'
const CLOSE = '1'
const NORMAL_CLOSURE = 1_000
const nothing = Buffer.alloc(0)

export class EngineSession {
  readonly sid: string
  user: SessionUser | null = null
  /** A request with packets is being read. */
  isReading = false
  /** WebSockets that were closed because the session has another one. */
  refusedSockets = 0
  /** What its WebSocket may send before it is authenticated. */
  claim: LimitClaim | null = null
  #socket: Socket | null
  /** Created for the first packet or poll; a WebSocket needs none. */
  #queue: PollQueue | null = null
  #probe: Probe | null = null
  #isOpen = true
  #isTrusted = false
  #pingAtMs: number
  /** 0 if no ping is unanswered. Whole milliseconds need no memory of their own. */
  #pongByMs = 0
  readonly #owner: SessionOwner

  constructor(sid: string, nowMs: number, socket: Socket | null, owner: SessionOwner) {
    this.sid = sid
    this.#socket = socket
    this.#pingAtMs = Math.ceil(nowMs) + PING_INTERVAL_MS
    this.#owner = owner
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The WebSocket, or null while the client polls. */
  get socket(): Socket | null {
    return this.#socket
  }

  get hasPoll(): boolean {
    return this.#queue?.hasPoll ?? false
  }

  get isUpgrading(): boolean {
    return this.#probe !== null
  }

  get isTrusted(): boolean {
    return this.#isTrusted
  }

  get unsentBytes(): number {
    return (this.#queue?.bytes ?? 0) + (this.#socket?.getBufferedAmount() ?? 0)
  }

  /** Sends a packet with its type. */
  send(packet: Uint8Array, compress: boolean): void {
    if (!this.#isOpen) return
    if (this.#socket) {
      this.#socket.send(packet, false, compress)
      return
    }
    const text = Buffer.from(packet.buffer, packet.byteOffset, packet.length).toString()
    this.#polls.push(text, packet.length)
    this.#answerPoll()
  }

  /** The client is authenticated. */
  trust(): void {
    this.#isTrusted = true
    this.#socket?.trust?.()
    this.#owner.settled(this)
  }

  /** The client, which was this user, has to authenticate again. */
  distrust(userId: string): void {
    if (!this.#isTrusted) return
    this.#isTrusted = false
    this.#owner.distrusted(this, userId)
  }

  /** Closes the session. Packets that wait are sent before. */
  close(code = NORMAL_CLOSURE, reason: Uint8Array = nothing): void {
    if (!this.#isOpen) return
    const socket = this.#socket
    if (this.#queue) {
      this.#queue.push(CLOSE)
      this.#answerPoll()
    }
    this.#end()
    socket?.end(code, reason)
  }

  /** Closes without a close frame. */
  terminate(): void {
    const socket = this.#socket
    this.#end()
    socket?.close()
  }

  /** The transport is closed. */
  lost(): void {
    this.#end()
  }

  // Packets of the client

  /** Handles one packet. Returns false if it is malformed; the session is then closed. */
  receive(packet: string | Uint8Array): boolean {
    if (!this.#isOpen) return true
    if (typeof packet !== 'string') return this.#deliver(packet)
    switch (packet[0]) {
      case '4':
        return this.#deliver(packet.slice(1))
      case PONG:
        this.#pongByMs = 0
        this.user?.ponged()
        return true
      case CLOSE:
        this.#queue?.release()
        this.close()
        return true
      default:
        this.close()
        return false
    }
  }

  #deliver(message: string | Uint8Array): boolean {
    try {
      this.user?.received(message)
      return true
    } catch (error) {
      this.close()
      if (error instanceof Error && error.name === 'PacketError') return false
      throw error
    }
  }

  drained(): void {
    this.user?.drained()
  }

  // Long polling

  /** A poll arrived; it is answered when a packet waits. */
  poll(poll: Poll): void {
    this.#polls.wait(poll)
    if (this.#probe) this.#polls.push(NOOP)
    this.#answerPoll()
  }

  /** The client of this poll has disconnected. */
  pollAborted({ response }: Poll): void {
    if (this.#queue?.aborted(response)) this.close()
  }

  get #polls(): PollQueue {
    this.#queue ??= new PollQueue()
    return this.#queue
  }

  #answerPoll(): void {
    if (this.#queue?.answer() && this.#isOpen) this.user?.drained()
  }

  // Upgrade from polling to WebSocket

  /** A WebSocket for this session is open; it is used after the client has sent `5`. */
  probe(socket: Socket, nowMs: number): void {
    this.#probe = { socket, sinceMs: nowMs, isAnswered: false }
  }

  /** A message on the WebSocket that is not used yet. */
  probed(socket: Socket, message: string): void {
    const probe = this.#probe
    if (probe?.socket !== socket || !this.#isOpen) return
    if (message === '2probe' && !probe.isAnswered) {
      probe.isAnswered = true
      socket.send(Buffer.from('3probe'), false, false)
      this.#queue?.release()
    } else if (message === '5') this.#upgrade(socket)
    else socket.close()
  }

  /** Returns whether the socket was the one that is not used yet. */
  probeClosed(socket: Socket): boolean {
    if (this.#probe?.socket !== socket) return false
    this.#probe = null
    return true
  }

  #upgrade(socket: Socket): void {
    this.#probe = null
    this.#queue?.release()
    this.#socket = socket
    if (this.#isTrusted) socket.trust?.()
    const waiting = this.#queue?.takeAll() ?? []
    this.#queue = null
    socket.cork(() => {
      for (const packet of waiting) if (packet !== NOOP) socket.send(Buffer.from(packet), false, false)
    })
    this.user?.upgraded(socket)
  }

  /** Sends a ping if it is due; closes the session of a client that does not answer. */
  sweep(nowMs: number): void {
    if (this.#pongByMs > 0 && nowMs >= this.#pongByMs) {
      this.close()
      return
    }
    if (nowMs >= this.#pingAtMs) {
      const now = Math.ceil(nowMs)
      this.#pongByMs = Math.max(this.#pingAtMs + PING_TIMEOUT_MS, now + MIN_PING_TIMEOUT_MS)
      this.#pingAtMs = now + PING_INTERVAL_MS
      this.send(Buffer.from(PING), false)
    }
    if (this.#probe && nowMs >= this.#probe.sinceMs + UPGRADE_TIMEOUT_MS) this.#probe.socket.close()
  }

  #end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#socket = null
    this.#queue?.takeAll()
    this.#queue?.release()
    const probe = this.#probe
    this.#probe = null
    probe?.socket.close()
    this.#owner.settled(this)
    this.#owner.closed(this)
    this.user?.closed()
  }
}
