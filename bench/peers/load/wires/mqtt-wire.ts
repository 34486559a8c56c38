/**
 * MQTT wire: MQTT 3.1.1 over WebSockets, a byte stream in binary frames, with QoS 0 or 1.
 *
 * A group is a topic. With QoS 1 the broker acknowledges each post (PUBACK) and expects that of each
 * delivery. A member that recovers has a persistent session: the broker holds messages of QoS 1 for it
 * while it is away.
 */
import type { Member } from '../member.ts'
import { readStream } from '../read-stream.ts'
import { unexpected, type Wire, type WireListener } from '../wire.ts'
import { recordOf } from './nats-wire.ts'

const CONNACK = 2
const PUBLISH = 3
const PUBACK = 4
const SUBACK = 9
const PINGRESP = 13
const CLEAN_SESSION = 0x02
const WITH_USER_AND_PASSWORD = 0xc0
export const MQTT_USER = 'bench'

export function mqttWire(secret: string, qos: 0 | 1): Wire {
  return {
    isText: false,
    subprotocol: 'mqtt',
    deliversOwn: true,
    acknowledges: qos === 1,
    sendsBearer: false,
    path: () => '/mqtt',
    opened(member, listener) {
      const flags = WITH_USER_AND_PASSWORD | (listener.recovers ? 0 : CLEAN_SESSION)
      // Protocol level 4 is version 3.1.1; no keep-alive.
      const head = Buffer.concat([textField('MQTT'), Buffer.of(4, flags, 0, 0)])
      const fields = [`u${member.index}`, MQTT_USER, secret].map(textField)
      member.client?.send(packet(0x10, Buffer.concat([head, ...fields])))
    },
    read(member, frame, frameStart, frameEnd, listener) {
      readStream(member, frame, frameStart, frameEnd, (bytes, at, end) =>
        readOne(member, bytes, at, end, listener, qos),
      )
    },
    post(member, content, key) {
      const id = qos === 1 ? Buffer.of(key >> 8, key & 0xff) : Buffer.alloc(0)
      const payload = Buffer.from(recordOf(member, content))
      return packet(0x30 | (qos << 1), Buffer.concat([textField(`g/${member.group}`), id, payload]))
    },
  }
}

/** Handles the packet at `at`; returns the position after it, or 0 if it is incomplete. */
function readOne(
  member: Member,
  bytes: Buffer,
  at: number,
  end: number,
  listener: WireListener,
  qos: 0 | 1,
): number {
  let size = 0
  let body = at + 1
  for (let shift = 0; ; shift += 7) {
    if (body >= end) return 0
    const byte = bytes[body++] as number
    size |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  const next = body + size
  if (next > end) return 0
  const head = bytes[at] as number
  switch (head >> 4) {
    case PUBLISH: {
      let payload = body + 2 + bytes.readUInt16BE(body)
      if (((head >> 1) & 3) === 1) {
        const id = bytes.readUInt16BE(payload)
        member.client?.send(Buffer.of(0x40, 2, id >> 8, id & 0xff))
        payload += 2
      }
      listener.delivered(member, bytes, payload, next)
      return next
    }
    case PUBACK:
      listener.acknowledged(member, bytes.readUInt16BE(body))
      return next
    case CONNACK: {
      if (bytes[body + 1] !== 0) throw unexpected(bytes, at, next)
      // The broker knows the session and its subscription.
      if (bytes[body] === 1) listener.live(member)
      else {
        const topic = Buffer.concat([Buffer.of(0, 1), textField(`g/${member.group}`), Buffer.of(qos)])
        member.client?.send(packet(0x82, topic))
      }
      return next
    }
    case SUBACK:
      listener.live(member)
      return next
    case PINGRESP:
      return next
    default:
      throw unexpected(bytes, at, end)
  }
}

function textField(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes])
}

function packet(head: number, body: Buffer): Buffer {
  const length: number[] = []
  for (let rest = body.length; ; ) {
    const byte = rest & 0x7f
    rest >>= 7
    length.push(rest > 0 ? byte | 0x80 : byte)
    if (rest === 0) break
  }
  return Buffer.concat([Buffer.of(head, ...length), body])
}
