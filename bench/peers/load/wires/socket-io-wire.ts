/**
 * Socket.IO wire: Engine.IO 4 and Socket.IO 5 over WebSockets, for the library and for Tertulia.
 *
 * A post is an event with an acknowledgement. The library recovers by the session id and the offset that
 * each event carries as its last argument ("connection state recovery"); Tertulia by the newest seq.
 */
import type { Member } from '../member.ts'
import { digitsAt, unexpected, type Wire, type WireListener } from '../wire.ts'

const OPEN = 0x30
const PING = 0x32
const MESSAGE = 0x34
const CONNECT = 0x30
const EVENT = 0x32
const ACK = 0x33
const PONG = Buffer.from('3')
/** Where the name of an event begins: `42["`. */
const NAME = 4
/** The acknowledgement id of `resume`: no post has it. */
const RESUME_KEY = 0

/** What the clients of one kind of server do differently. */
interface Dialect {
  readonly deliversOwn: boolean
  auth(member: Member, recovers: boolean): object
  /** CONNECT was accepted. */
  connected(member: Member, bytes: Buffer, start: number, end: number, listener: WireListener): void
  event(member: Member, bytes: Buffer, start: number, end: number, listener: WireListener): void
}

const library: Dialect = {
  deliversOwn: true,
  auth: ({ token, sessionId, offset }, recovers) =>
    recovers && sessionId && offset ? { token, pid: sessionId, offset } : { token },
  connected(member, bytes, start, end, listener) {
    if (listener.recovers) {
      const { pid = '' } = JSON.parse(bytes.toString('utf8', start + 2, end)) as { pid?: string }
      member.sessionId = pid
    }
    listener.live(member)
  },
  event(member, bytes, start, end, listener) {
    if (listener.recovers) {
      // `42["new_message",{…},"offset"]`
      const from = bytes.lastIndexOf(',"', end) + 2
      member.offset = bytes.toString('latin1', from, end - 2)
    }
    listener.delivered(member, bytes, start, end)
  },
}

const tertulia: Dialect = {
  // The session that posts receives the answer only.
  deliversOwn: false,
  auth: ({ token }) => ({ token }),
  // `connected` is an event of its own.
  connected() {},
  event(member, bytes, start, end, listener) {
    if (bytes[start + NAME] === 0x6e) {
      if (listener.recovers) noteSeq(member, seqOf(bytes, start, end))
      return listener.delivered(member, bytes, start, end)
    }
    // connected, and not contact_status_changed
    if (bytes[start + NAME] !== 0x63 || bytes[start + NAME + 3] !== 0x6e) return
    if (!listener.recovers || !member.isReturning) return listener.live(member)
    member.isResuming = true
    const groups = [[`g${member.group}`, member.seq]]
    member.client?.send(Buffer.from(`42${RESUME_KEY}${JSON.stringify(['resume', { groups }])}`))
  },
}

export const socketIoWire = wireOf(library)
export const tertuliaSocketIoWire = wireOf(tertulia)

/** A seq that has arrived: it counts at once, except while missed events are awaited. */
export function noteSeq(member: Member, seq: number): void {
  if (seq > member.liveSeq) member.liveSeq = seq
  if (!member.isResuming) member.seq = member.liveSeq
}

/** All missed events have arrived. */
export function noteResumed(member: Member, lastSeq: number): void {
  member.isResuming = false
  member.liveSeq = Math.max(member.liveSeq, lastSeq)
  member.seq = member.liveSeq
}

function wireOf(dialect: Dialect): Wire {
  return {
    isText: true,
    deliversOwn: dialect.deliversOwn,
    acknowledges: true,
    sendsBearer: false,
    path: (token) => `/socket.io/?EIO=4&transport=websocket&token=${token}`,
    opened() {},
    read(member, bytes, start, end, listener) {
      const type = bytes[start]
      if (type === PING) return member.client?.send(PONG)
      if (type === OPEN) {
        const auth = JSON.stringify(dialect.auth(member, listener.recovers))
        return member.client?.send(Buffer.from(`40${auth}`))
      }
      if (type !== MESSAGE) return
      switch (bytes[start + 1]) {
        case CONNECT:
          return dialect.connected(member, bytes, start, end, listener)
        case EVENT:
          return dialect.event(member, bytes, start, end, listener)
        case ACK:
          return acknowledged(member, bytes, start, end, listener)
        default:
          throw unexpected(bytes, start, end)
      }
    },
    post(member, content, key) {
      const fields = { groupId: `g${member.group}`, content, tempId: `t${key}` }
      return Buffer.from(`42${key}${JSON.stringify(['send_message', fields])}`)
    },
  }
}

function acknowledged(
  member: Member,
  bytes: Buffer,
  start: number,
  end: number,
  listener: WireListener,
): void {
  const key = digitsAt(bytes, start + 2)
  const [answer] = JSON.parse(bytes.toString('utf8', bytes.indexOf('[', start), end)) as [Answer]
  if (answer.success === false) {
    // The connection will be closed.
    if (answer.code === 'shutting_down') return
    if (answer.retryAfterMs === undefined) throw unexpected(bytes, start, end)
    return listener.refused(member, key, answer.retryAfterMs)
  }
  if (key !== RESUME_KEY) return listener.acknowledged(member, key)
  for (const [, lastSeq] of answer.groups ?? []) noteResumed(member, lastSeq)
  listener.live(member)
}

interface Answer {
  readonly success?: boolean
  readonly code?: string
  readonly retryAfterMs?: number
  readonly groups?: readonly (readonly [string, number, boolean])[]
}

/** The seq of a message in JSON. */
export function seqOf(bytes: Buffer, start: number, end: number): number {
  const at = bytes.indexOf('"seq":', start)
  if (at < 0 || at > end) throw unexpected(bytes, start, end)
  return digitsAt(bytes, at + 6)
}
