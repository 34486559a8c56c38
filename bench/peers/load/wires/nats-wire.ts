/**
 * NATS wire: the client protocol of NATS over WebSockets, a byte stream in binary frames.
 *
 * A group is a subject. Publishing is not acknowledged in NATS without JetStream; a connection receives
 * what it publishes itself, as is the default. A frame may end anywhere within a message.
 */
import type { Member } from '../member.ts'
import { readStream } from '../read-stream.ts'
import { unexpected, type Wire, type WireListener } from '../wire.ts'

const CR = 13
const LINE_END = 2
const PONG = Buffer.from('PONG\r\n')

/** `secret` is the token of the server's configuration. */
export function natsWire(secret: string): Wire {
  const connect = JSON.stringify({
    verbose: false,
    pedantic: false,
    tls_required: false,
    auth_token: secret,
    lang: 'bench',
    version: '1',
    protocol: 1,
    echo: true,
  })
  return {
    isText: false,
    deliversOwn: true,
    acknowledges: false,
    sendsBearer: false,
    path: () => '/',
    opened() {},
    read(member, frame, frameStart, frameEnd, listener) {
      readStream(member, frame, frameStart, frameEnd, (bytes, at, end) =>
        readOne(member, bytes, at, end, listener, connect),
      )
    },
    post(member, content) {
      const payload = Buffer.from(recordOf(member, content))
      return Buffer.concat([
        Buffer.from(`PUB g.${member.group} ${payload.length}\r\n`),
        payload,
        Buffer.from('\r\n'),
      ])
    },
  }
}

/** A message as an application would publish it; its fields are those of the other peers. */
export function recordOf({ group, index }: Member, content: string): string {
  const user = `u${index}`
  return JSON.stringify({
    id: `${user}-20000`,
    groupId: `g${group}`,
    senderId: user,
    senderName: user,
    content,
    createdAt: 1_767_225_600_000,
  })
}

/** Handles the message at `at`; returns the position after it, or 0 if it is incomplete. */
function readOne(
  member: Member,
  bytes: Buffer,
  at: number,
  end: number,
  listener: WireListener,
  connect: string,
): number {
  const lineEnd = bytes.indexOf(CR, at)
  if (lineEnd < 0 || lineEnd + LINE_END > end) return 0
  const next = lineEnd + LINE_END
  switch (bytes[at]) {
    case 0x4d: {
      // MSG subject sid [reply] size
      let size = 0
      for (let i = lineEnd - 1, unit = 1; bytes[i] !== 0x20; i--, unit *= 10) {
        size += ((bytes[i] as number) - 0x30) * unit
      }
      if (next + size + LINE_END > end) return 0
      listener.delivered(member, bytes, next, next + size)
      return next + size + LINE_END
    }
    case 0x49: // INFO
      // A server that has taken the subscription answers the ping after it.
      if (!member.isLive) {
        member.client?.send(Buffer.from(`CONNECT ${connect}\r\nSUB g.${member.group} 1\r\nPING\r\n`))
      }
      return next
    case 0x50: // PING, PONG
      if (bytes[at + 1] === 0x49) member.client?.send(PONG)
      else listener.live(member)
      return next
    case 0x2d: // -ERR: the server closes the connection, as when it is too busy to authenticate a client in time
      if (bytes.toString('latin1', at, lineEnd).includes('Violation')) throw unexpected(bytes, at, end)
      return next
    default:
      throw unexpected(bytes, at, end)
  }
}
