/**
 * Peer crowd: the members of one measurement, whatever their wire.
 *
 * A member of the layout is in exactly one group. Connections come from 200 loopback addresses, because
 * servers limit newcomers by address. Every wait has a deadline; its error states what was expected.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { signToken, until } from '../../load/crowd.ts'
import { LeanClient } from '../../load/lean-client.ts'
import { type Member, newMember } from './member.ts'
import type { Wire, WireListener } from './wire.ts'

/** Connections opened at the same time. */
const AT_ONCE = 256
const ADDRESSES = 200
const RETRY_MS = 300
const MAX_KEY = 65_535
const CONNECT_DEADLINE_MS = 90_000

/** The server under load. */
export interface Place {
  readonly port: number
  readonly secret: string
}

/** How many members there are, and how many of them share a group. */
export interface Layout {
  readonly connections: number
  readonly groupSize: number
}

export class PeerCrowd implements WireListener {
  readonly members: readonly Member[]
  /** Members that are live now. */
  liveCount = 0
  deliveries = 0
  acknowledgements = 0
  /** Posts that the server did not accept for now. */
  refusals = 0
  /** Connections that the server closed. */
  closed = 0
  /** Attempts to connect that failed. */
  failedAttempts = 0
  readonly recovers: boolean
  onDelivery: ((member: Member, bytes: Buffer, start: number, end: number) => void) | null = null
  onAcknowledged: ((member: Member) => void) | null = null
  onRefused: ((member: Member) => void) | null = null
  onLive: ((member: Member) => void) | null = null
  /** Called when the server ends a connection or refuses an attempt. */
  onClosed: ((member: Member) => void) | null = null
  readonly #place: Place
  readonly #wire: Wire
  #nextKey = 1

  constructor(place: Place, wire: Wire, { connections, groupSize }: Layout, { recovers = false } = {}) {
    this.#place = place
    this.#wire = wire
    this.recovers = recovers
    this.members = Array.from({ length: connections }, (_, i) => {
      const group = Math.floor(i / groupSize)
      const claims = { groups: [`g${group}`] }
      return newMember(i, group, signToken(`u${i}`, place.secret, claims))
    })
  }

  /**
   * Connects these members, a limited number at a time, and waits until each is live. An attempt that the server
   * refuses is counted and repeated, as clients do. @throws Error if the server refuses everybody
   */
  async connect(members = this.members): Promise<void> {
    const before = this.liveCount
    this.onClosed = (member) => {
      setTimeout(() => this.open(member), RETRY_MS)
    }
    let opened = 0
    for (const member of members) {
      await until(
        () => opened - (this.liveCount - before) < AT_ONCE,
        () => this.#state(),
        CONNECT_DEADLINE_MS,
      )
      opened += 1
      this.open(member)
    }
    await until(
      () =>
        this.liveCount >= before + members.length || (this.liveCount === 0 && this.failedAttempts > AT_ONCE),
      () => this.#state(),
      CONNECT_DEADLINE_MS,
    )
    if (this.liveCount === 0) throw new Error(`the server refuses its members: ${this.#state()}`)
    this.onClosed = null
  }

  /** Opens one connection. */
  open(member: Member): void {
    let isCurrent = true
    const wire = this.#wire
    const client = new LeanClient(
      member.index,
      this.#place.port,
      wire.sendsBearer ? member.token : '',
      (_, bytes, start, end) => {
        if (member.client === client) wire.read(member, bytes, start, end, this)
      },
      () => {
        if (!isCurrent || member.client !== client) return
        isCurrent = false
        if (member.isLive) this.closed += 1
        else this.failedAttempts += 1
        this.#left(member)
        this.onClosed?.(member)
      },
      {
        localAddress: `127.0.1.${1 + (member.index % ADDRESSES)}`,
        path: wire.path(member.token),
        isText: wire.isText,
        ...(wire.subprotocol && { subprotocol: wire.subprotocol }),
        onOpen: () => wire.opened(member, this),
        onRefused: () => {},
      },
    )
    member.client = client
  }

  /** Ends a member's connection from this side, without a word to the server. */
  cut(member: Member): void {
    const { client } = member
    this.#left(member)
    client?.end()
  }

  /** Posts to the member's group. */
  post(member: Member, content: string): void {
    const key = this.#nextKey
    this.#nextKey = key === MAX_KEY ? 1 : key + 1
    const frame = this.#wire.post(member, content, key)
    member.unacknowledged?.set(key, frame)
    member.client?.send(frame)
  }

  /** Sends again what has no acknowledgement; for peers that acknowledge. */
  repeatUnacknowledged(member: Member): void {
    for (const frame of member.unacknowledged?.values() ?? []) member.client?.send(frame)
  }

  async allLive(count = this.members.length, deadlineMs = CONNECT_DEADLINE_MS): Promise<void> {
    await until(
      () => this.liveCount >= count,
      () => `${count} live members; ${this.#state()}`,
      deadlineMs,
    )
  }

  /** Waits for this number of deliveries in all, or until the time is over; true if they arrived. */
  async settle(deliveries: number, deadlineMs: number): Promise<boolean> {
    const deadline = performance.now() + deadlineMs
    while (this.deliveries < deliveries && performance.now() < deadline) await delay(5)
    return this.deliveries >= deliveries
  }

  /** Members that receive a post of a group of this size. */
  receivers(groupSize: number): number {
    return this.#wire.deliversOwn ? groupSize : groupSize - 1
  }

  get acknowledges(): boolean {
    return this.#wire.acknowledges
  }

  end(): void {
    for (const member of this.members) {
      member.isLive = false
      member.client?.end()
    }
  }

  live(member: Member): void {
    if (member.isLive) return
    member.isLive = true
    member.isReturning = true
    this.liveCount += 1
    this.onLive?.(member)
  }

  delivered(member: Member, bytes: Buffer, start: number, end: number): void {
    this.deliveries += 1
    member.posts += 1
    this.onDelivery?.(member, bytes, start, end)
  }

  acknowledged(member: Member, key: number): void {
    this.acknowledgements += 1
    member.unacknowledged?.delete(key)
    this.onAcknowledged?.(member)
  }

  refused(member: Member, key: number, retryAfterMs: number): void {
    this.refusals += 1
    this.onRefused?.(member)
    const frame = member.unacknowledged?.get(key)
    if (frame) setTimeout(() => member.client?.send(frame), retryAfterMs)
  }

  #left(member: Member): void {
    if (member.isLive) this.liveCount -= 1
    member.isLive = false
    member.isResuming = false
    member.rest = null
    member.client = null
  }

  #state(): string {
    const { liveCount, deliveries, closed, failedAttempts } = this
    return `${liveCount} live, ${deliveries} deliveries, ${closed} closed, ${failedAttempts} attempts failed`
  }
}
