/**
 * Tertulia's own wires: msgpack and JSON.
 *
 * They recover by `resume` with the newest seq of the group. Frames are found by their code or by the
 * first letters of the event's name.
 */
import { decodeEvent, encodeRequest } from '../../../../protocol/codec.ts'
import { events } from '../../../../protocol/events.ts'
import { refOffset, wholeNumberAt } from '../../../../protocol/frame-head.ts'
import { subprotocols } from '../../../../protocol/subprotocols.ts'
import type { Member } from '../member.ts'
import { after, digitsAt, unexpected, type Wire, type WireListener } from '../wire.ts'
import { noteResumed, noteSeq, seqOf } from './socket-io-wire.ts'

const RETRY_MS = 100
/** The connection will be closed; the post is sent again on the next one, where the work does that. */
const STOPPING = 'shutting_down'
/** The ref of `resume`: no post has it. */
const RESUME_REF = 0
/** Where the name of an event begins: `{"event":"`. */
const NAME = 10

export const tertuliaWire: Wire = {
  isText: false,
  subprotocol: subprotocols.msgpack,
  deliversOwn: true,
  acknowledges: true,
  sendsBearer: true,
  path: () => '/ws',
  opened() {},
  read(member, bytes, start, end, listener) {
    // Codes from 128 take two bytes; none of them matters here.
    switch (bytes[start + 1]) {
      case events.new_message.code:
        if (listener.recovers) noteSeq(member, seqInFrame(bytes.subarray(start, end)))
        return listener.delivered(member, bytes, start, end)
      case events.message_sent.code:
        return listener.acknowledged(member, refIn(bytes.subarray(start, end)))
      case events.connected.code:
        if (!listener.recovers || !member.isReturning) return listener.live(member)
        member.isResuming = true
        return member.client?.send(
          encodeRequest('resume', RESUME_REF, { groups: [[`g${member.group}`, member.seq]] }),
        )
      case events.resumed.code:
        resumed(member, decodeEvent(bytes.subarray(start, end))?.fields)
        return listener.live(member)
      case events.message_error.code:
      case events.error.code:
        return refused(member, bytes.subarray(start, end), listener)
    }
  },
  post: (member, content, key) =>
    encodeRequest('send_message', key, { groupId: `g${member.group}`, content, tempId: `t${key}` }),
}

export const tertuliaJsonWire: Wire = {
  ...tertuliaWire,
  isText: true,
  subprotocol: subprotocols.json,
  read(member, bytes, start, end, listener) {
    // new_message, message_sent, message_error, connected, resumed, error
    const at = start + NAME
    const first = bytes[at]
    if (first === 0x6e) {
      if (listener.recovers) noteSeq(member, seqOf(bytes, start, end))
      return listener.delivered(member, bytes, start, end)
    }
    if (first === 0x6d && bytes[at + 8] === 0x73) {
      return listener.acknowledged(member, digitsAt(bytes, after(bytes, '"ref":', start, end)))
    }
    if (first === 0x63 && bytes[at + 3] === 0x6e) {
      if (!listener.recovers || !member.isReturning) return listener.live(member)
      member.isResuming = true
      const data = { groups: [[`g${member.group}`, member.seq]] }
      return member.client?.send(Buffer.from(JSON.stringify({ event: 'resume', ref: RESUME_REF, data })))
    }
    const text = first === 0x72 || first === 0x65 || first === 0x6d ? bytes.toString('utf8', start, end) : ''
    if (text.startsWith('{"event":"resumed"')) {
      resumed(member, (JSON.parse(text) as { data: unknown }).data)
      return listener.live(member)
    }
    if (text.startsWith('{"event":"error"') || text.startsWith('{"event":"message_error"')) {
      const { ref, data } = JSON.parse(text) as { ref: number; data: { error?: object } }
      const error = (data.error ?? data) as { code: string; retryAfterMs?: number }
      if (error.code === STOPPING) return
      if (error.retryAfterMs === undefined) throw unexpected(bytes, start, end)
      listener.refused(member, ref, error.retryAfterMs)
    }
  },
  post(member, content, key) {
    const data = { groupId: `g${member.group}`, content, tempId: `t${key}` }
    return Buffer.from(JSON.stringify({ event: 'send_message', ref: key, data }))
  },
}

function resumed(member: Member, fields: unknown): void {
  const { groups } = fields as { readonly groups: readonly (readonly [string, number, boolean])[] }
  noteResumed(member, groups[0]?.[1] ?? 0)
}

function refused(member: Member, frame: Buffer, listener: WireListener): void {
  const event = decodeEvent(frame)
  if (event?.event !== 'error' && event?.event !== 'message_error') return
  const error = event.event === 'error' ? event.fields : event.fields.error
  if (error.code === STOPPING) return
  if (error.code !== 'overloaded') throw new Error(`the server refused: ${error.code}, ${error.message}`)
  listener.refused(member, event.ref, error.retryAfterMs ?? RETRY_MS)
}

function refIn(frame: Buffer): number {
  return wholeNumberAt(frame, refOffset(frame))
}

function seqInFrame(frame: Buffer): number {
  const event = decodeEvent(frame)
  if (event?.event !== 'new_message') throw unexpected(frame, 0, frame.length)
  return event.fields.message.seq
}
