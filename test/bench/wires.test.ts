import { describe, expect, it } from 'vitest'
import { type Member, newMember } from '../../bench/peers/load/member.ts'
import type { Wire, WireListener } from '../../bench/peers/load/wire.ts'
import { mqttWire } from '../../bench/peers/load/wires/mqtt-wire.ts'
import { natsWire } from '../../bench/peers/load/wires/nats-wire.ts'

/** What a wire reports of these bytes, in two frames that are split at `at`. */
function readSplit(wire: Wire, bytes: Buffer, at: number): readonly string[] {
  const read: string[] = []
  const member: Member = newMember(7, 3, '')
  const listener: WireListener = {
    recovers: false,
    live: () => read.push('live'),
    delivered: (_, frame, start, end) => read.push(frame.toString('latin1', start, end)),
    acknowledged: (_, key) => read.push(`acknowledged ${key}`),
    refused: () => read.push('refused'),
  }
  wire.read(member, bytes, 0, at, listener)
  wire.read(member, bytes, at, bytes.length, listener)
  return read
}

describe('wires of byte streams', () => {
  it('NATS: finds messages wherever a frame ends', () => {
    const text = 'PONG\r\nMSG g.3 1 5\r\nhello\r\nPING\r\nMSG g.3 1 _INBOX.1 12\r\nMSG g.3 1\r\n!\r\n'
    const bytes = Buffer.from(text)
    for (let at = 0; at <= bytes.length; at++) {
      expect(readSplit(natsWire('secret'), bytes, at)).toEqual(['live', 'hello', 'MSG g.3 1\r\n!'])
    }
  })

  it('MQTT: finds packets wherever a frame ends, also longer than 127 bytes', () => {
    const long = 'x'.repeat(200)
    const publish = Buffer.concat([
      Buffer.of(0x32, 0x80 | (207 & 0x7f), 207 >> 7, 0, 3),
      Buffer.from('g/3'),
      Buffer.of(0, 9),
      Buffer.from(long),
    ])
    const bytes = Buffer.concat([
      Buffer.of(0x90, 3, 0, 1, 1),
      publish,
      Buffer.of(0x40, 2, 1, 2),
      Buffer.of(0x30, 7, 0, 3),
      Buffer.from('g/3ok'),
    ])
    for (let at = 0; at <= bytes.length; at++) {
      expect(readSplit(mqttWire('secret', 1), bytes, at)).toEqual(['live', long, 'acknowledged 258', 'ok'])
    }
  })
})
