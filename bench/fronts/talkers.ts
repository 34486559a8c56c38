/**
 * Talkers: many members of groups, in one load process, who send on a schedule, reconnect and resume as clients
 * do, and record what they saw.
 *
 * Every message has a tempId of its own and is sent again until it is acknowledged. At the end the history of
 * each group decides: what was acknowledged and is not in it is lost, what is in it twice is a twin, what a
 * member has not seen, or saw and was not taken back by a gap, is missing.
 */
import { decodeEvent, encodeRequest } from '../../protocol/codec.ts'
import type { Event } from '../../protocol/events.ts'
import type { RequestFields, RequestName } from '../../protocol/requests.ts'
import { signToken, type Target, until } from '../load/crowd.ts'
import { LeanClient } from '../load/lean-client.ts'

export const GROUP_SIZE = 10
/** Handshakes of one load process at the same time. */
const AT_ONCE = 64
/** Linux searches a free port of an address for milliseconds once thousands of its ports are used. */
const ADDRESSES = 200
const RETRY_MS = 50
const ANSWER_WITHIN_MS = 10_000
const DEADLINE_MS = 120_000
const PAGE = 200

/** What the clients of a process saw. */
export interface Verdict {
  readonly connected: number
  /** Connections that the server closed, and the most of one client. */
  readonly closed: number
  readonly 'closed, most of one client': number
  readonly sent: number
  readonly acknowledged: number
  readonly lost: number
  readonly twins: number
  readonly missing: number
  /** Events that came twice or out of order. */
  readonly disorder: number
  readonly refused: number
}

interface Talker {
  readonly index: number
  readonly group: number
  client: LeanClient | null
  isConnected: boolean
  closes: number
  lastSeq: number
  /** The tempId of each message shown, by seq. */
  readonly shown: Map<number, string>
}

/** A message without an answer. */
interface Pending {
  readonly by: Talker
  readonly ref: number
  readonly atMs: number
}

export class Talkers {
  readonly #target: Target
  readonly #network: string
  /** Number of the first client; a multiple of the size of a group. */
  readonly #from: number
  readonly #talkers: Talker[] = []
  /** By tempId, the one that was sent first at first. */
  readonly #pending = new Map<string, Pending>()
  /** The tempIds of the messages in `pending`, by the ref of their last request. */
  readonly #refs = new Map<number, string>()
  /** The seq of each acknowledged message. */
  readonly #acknowledged = new Map<string, { readonly group: number; readonly seq: number }>()
  #lastRef = 100
  #sent = 0
  #refused = 0
  #disorder = 0
  #groups = 0
  /** Clients whose connection is not complete. */
  #opening = 0
  #onPong: ((talker: Talker) => void) | null = null
  #onHistory: ((event: Event) => void) | null = null
  #sending: NodeJS.Timeout | null = null

  constructor(target: Target, network: string, from: number) {
    this.#target = target
    this.#network = network
    this.#from = from
  }

  /** Connects so many more clients. */
  async connect(count: number): Promise<void> {
    const first = this.#talkers.length
    for (let i = 0; i < count; i++) {
      const index = this.#from + first + i
      const group = Math.floor(index / GROUP_SIZE)
      const talker = {
        index,
        group,
        client: null,
        isConnected: false,
        closes: 0,
        lastSeq: 0,
        shown: new Map(),
      }
      this.#talkers.push(talker)
      this.#open(talker)
      await until(
        () => this.#opening < AT_ONCE,
        () => `${this.#opening} connections under way`,
        DEADLINE_MS,
      )
    }
    await until(
      () => this.#opening === 0,
      () => `${this.#opening} clients are not connected`,
      DEADLINE_MS,
    )
  }

  /** Creates the groups of all clients. */
  async createGroups(): Promise<void> {
    const groups = this.#talkers.length / GROUP_SIZE
    for (let i = 0; i < groups; i++) {
      const [owner, ...others] = this.#talkers.slice(i * GROUP_SIZE, (i + 1) * GROUP_SIZE) as [
        Talker,
        ...Talker[],
      ]
      const members = others.map(({ index }) => `u${index}`)
      this.#request(owner, 'create_group', 1, { kind: 'group', groupId: `g${owner.group}`, members })
      await until(
        () => this.#groups > i - AT_ONCE,
        () => `${this.#groups} of ${i} groups are created`,
        DEADLINE_MS,
      )
    }
    await until(
      () => this.#groups === groups,
      () => `${this.#groups} of ${groups} groups are created`,
      DEADLINE_MS,
    )
  }

  /** Begins to send, that many messages a second in all groups together. */
  startSending(perSecond: number): void {
    const startedAtMs = performance.now()
    let sent = 0
    this.#sending = setInterval(() => {
      const due = Math.floor(((performance.now() - startedAtMs) / 1_000) * perSecond)
      for (; sent < due; sent++) {
        const by = this.#talkers[(this.#sent * 7_919) % this.#talkers.length] as Talker
        this.#sent += 1
        this.#send(by, `p${this.#from}-${this.#sent}`)
      }
      this.#repeatLate()
    }, 5)
  }

  /** Sends no more; waits until everything is acknowledged. */
  async stopSending(): Promise<void> {
    clearInterval(this.#sending ?? undefined)
    const repeating = setInterval(() => this.#repeatLate(), RETRY_MS)
    await until(
      () => this.#pending.size === 0,
      () => `${this.#pending.size} messages without an answer`,
      DEADLINE_MS,
    )
    clearInterval(repeating)
  }

  /** Sends a ping for every client that is connected; returns the milliseconds until all have been answered. */
  async pingAll(): Promise<number> {
    const startedAt = performance.now()
    await until(
      () => this.#opening === 0,
      () => `${this.#opening} clients are not connected`,
      DEADLINE_MS,
    )
    const pinged = new Set(this.#talkers)
    this.#onPong = (talker) => pinged.delete(talker)
    const ping = encodeRequest('ping', 2, {})
    const pingRest = () => {
      for (const { client } of pinged) client?.send(ping)
    }
    pingRest()
    // A request may be refused while there is no engine.
    const again = setInterval(pingRest, 1_000)
    await until(
      () => pinged.size === 0,
      () => `${pinged.size} clients are not answered`,
      DEADLINE_MS,
    )
    clearInterval(again)
    this.#onPong = null
    return performance.now() - startedAt
  }

  /** Compares everything with the histories. */
  async verdict(): Promise<Verdict> {
    let [lost, twins, missing] = [0, 0, 0]
    const byGroup = new Map<number, Talker[]>()
    for (const talker of this.#talkers) {
      const members = byGroup.get(talker.group)
      if (members) members.push(talker)
      else byGroup.set(talker.group, [talker])
    }
    const stored = new Map<number, ReadonlyMap<number, string>>()
    for (const [group, [reader]] of byGroup) stored.set(group, await this.#history(reader as Talker))
    // A group that is loaded for its history may announce a gap.
    await this.pingAll()
    for (const [group, members] of byGroup) {
      const history = stored.get(group) as ReadonlyMap<number, string>
      twins += history.size - new Set(history.values()).size
      for (const { shown } of members) {
        for (const [seq, tempId] of history) if (shown.get(seq) !== tempId) missing += 1
        for (const seq of shown.keys()) if (!history.has(seq)) missing += 1
      }
    }
    for (const [tempId, { group, seq }] of this.#acknowledged) {
      if (stored.get(group)?.get(seq) !== tempId) lost += 1
    }
    const closes = this.#talkers.map((talker) => talker.closes)
    return {
      connected: this.#talkers.filter(({ isConnected }) => isConnected).length,
      closed: closes.reduce((sum, count) => sum + count, 0),
      'closed, most of one client': closes.reduce((most, count) => Math.max(most, count), 0),
      sent: this.#sent,
      acknowledged: this.#acknowledged.size,
      lost,
      twins,
      missing,
      disorder: this.#disorder,
      refused: this.#refused,
    }
  }

  #open(talker: Talker): void {
    this.#opening += 1
    const client: LeanClient = new LeanClient(
      talker.index,
      this.#target.port,
      signToken(`u${talker.index}`, this.#target.secret),
      (_, bytes, start, end) => this.#take(talker, bytes, start, end),
      () => this.#closed(talker, client),
      { localAddress: `${this.#network}.${1 + (talker.index % ADDRESSES)}`, onRefused: () => {} },
    )
    talker.client = client
  }

  #closed(talker: Talker, client: LeanClient): void {
    if (talker.client !== client) return
    if (talker.isConnected) {
      talker.closes += 1
      talker.isConnected = false
    } else this.#opening -= 1
    talker.client = null
    // As clients of a server that announces different delays.
    const delayMs = RETRY_MS + ((talker.index * 7_919) % 1_000)
    setTimeout(() => this.#open(talker), delayMs)
  }

  #take(talker: Talker, bytes: Buffer, start: number, end: number): void {
    const event = decodeEvent(bytes.subarray(start, end))
    switch (event?.event) {
      case 'connected':
        // Its missed events, then this answer: connected again.
        if (talker.lastSeq > 0) {
          this.#request(talker, 'resume', 3, { groups: [[`g${talker.group}`, talker.lastSeq]] })
        } else this.#isUp(talker)
        return
      case 'resumed':
        this.#isUp(talker)
        return
      case 'group_created':
        this.#see(talker, event.fields.seq, null)
        if (talker.index % GROUP_SIZE === 0) this.#groups += 1
        return
      case 'new_message': {
        const { seq, tempId = '' } = event.fields.message
        this.#see(talker, seq, tempId)
        return
      }
      case 'gap': {
        const { seq, from, to } = event.fields
        this.#see(talker, seq, null)
        for (const shown of talker.shown.keys()) if (shown >= from && shown <= to) talker.shown.delete(shown)
        return
      }
      case 'message_sent': {
        const { tempId, message } = event.fields
        this.#acknowledged.set(tempId, { group: talker.group, seq: message.seq })
        this.#forget(tempId)
        return
      }
      case 'message_error':
      case 'error':
        return this.#repeat(event.ref)
      case 'pong':
        this.#onPong?.(talker)
        return
      case 'history':
        this.#onHistory?.(event)
        return
    }
  }

  #isUp(talker: Talker): void {
    if (talker.isConnected) return
    talker.isConnected = true
    this.#opening -= 1
    for (const [tempId, { by }] of [...this.#pending]) if (by === talker) this.#send(by, tempId)
  }

  #see(talker: Talker, seq: number, tempId: string | null): void {
    // Before its missed events a client that was disconnected may receive newer ones: it sorts them.
    if (talker.isConnected && seq <= talker.lastSeq) this.#disorder += 1
    if (talker.shown.has(seq)) this.#disorder += 1
    talker.lastSeq = Math.max(talker.lastSeq, seq)
    if (tempId !== null) talker.shown.set(seq, tempId)
  }

  #send(by: Talker, tempId: string): void {
    this.#forget(tempId)
    this.#lastRef += 1
    this.#pending.set(tempId, { by, ref: this.#lastRef, atMs: performance.now() })
    this.#refs.set(this.#lastRef, tempId)
    const groupId = `g${by.group}`
    this.#request(by, 'send_message', this.#lastRef, {
      groupId,
      content: 'a message of about the usual length',
      tempId,
    })
  }

  #forget(tempId: string): void {
    const pending = this.#pending.get(tempId)
    if (!pending) return
    this.#pending.delete(tempId)
    this.#refs.delete(pending.ref)
  }

  /** A message was refused for now. */
  #repeat(ref: number): void {
    const tempId = this.#refs.get(ref)
    if (tempId === undefined) return
    this.#refused += 1
    setTimeout(() => {
      const pending = this.#pending.get(tempId)
      if (pending?.ref === ref) this.#send(pending.by, tempId)
    }, RETRY_MS)
  }

  #repeatLate(): void {
    const lateAt = performance.now() - ANSWER_WITHIN_MS
    for (const [tempId, { by, atMs }] of [...this.#pending]) {
      // The oldest first.
      if (atMs > lateAt) return
      this.#send(by, tempId)
    }
  }

  async #history(reader: Talker): Promise<ReadonlyMap<number, string>> {
    const found = new Map<number, string>()
    for (let after = 0, hasMore = true; hasMore; ) {
      const page = new Promise<Extract<Event, { event: 'history' }>>((resolve) => {
        this.#onHistory = (event) => resolve(event as Extract<Event, { event: 'history' }>)
      })
      this.#request(reader, 'get_history', 4, { groupId: `g${reader.group}`, after, limit: PAGE })
      const { fields } = await page
      for (const { seq, tempId = '' } of fields.messages) found.set(seq, tempId)
      hasMore = fields.hasMore
      after = fields.messages.at(-1)?.seq ?? 0
    }
    return found
  }

  #request<N extends RequestName>(talker: Talker, name: N, ref: number, fields: RequestFields<N>): void {
    talker.client?.send(encodeRequest(name, ref, fields))
  }
}
