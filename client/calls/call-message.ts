/**
 * Call messages: what two devices send each other to set up a call, as payloads of `signal`.
 *
 * A message is JSON, split into parts so that no payload exceeds the limit of the protocol (16 KiB): the
 * description of a call with several tracks may be longer. Each device numbers its messages: a part that is
 * sent twice, because its answer was lost, counts once. A signal reaches all devices of a user; `to` names
 * the device that a message is for, without it all are meant.
 */

/** Why a call ended. `missed`, `answered_elsewhere`, `no_media` are not sent. */
export type CallEnd =
  | 'hung_up'
  | 'declined'
  | 'busy'
  | 'no_answer'
  | 'failed'
  | 'missed'
  | 'answered_elsewhere'
  | 'no_media'

/** What a device sends of its user. */
export interface SentMedia {
  readonly muted: boolean
  readonly video: 'camera' | 'screen' | null
}

export type CallMessage =
  /** Repeated while it rings, for devices that connect meanwhile. */
  | { readonly type: 'ring'; readonly withVideo: boolean }
  /** A device of the called user rings. */
  | { readonly type: 'ringing' }
  | { readonly type: 'accept' }
  /** To all devices of the called user: the device `by` has the call. */
  | { readonly type: 'answered'; readonly by: string }
  | { readonly type: 'end'; readonly reason: CallEnd }
  | { readonly type: 'description'; readonly description: RTCSessionDescriptionInit }
  | { readonly type: 'candidates'; readonly candidates: readonly RTCIceCandidateInit[] }
  | { readonly type: 'media'; readonly media: SentMedia }

export interface Envelope {
  readonly callId: string
  /** The sending device. */
  readonly from: string
  readonly to: string | undefined
  readonly message: CallMessage
}

/** The `kind` of the signals. */
export const CALL_KIND = 'call'
/** UTF-16 units of JSON in a part: with escapes far below 16 KiB. */
const PART_LENGTH = 4_000
/** Parts of one message: above, it is not a description. */
const MAX_PARTS = 64
/** Devices whose messages are being received. */
const MAX_DEVICES = 32

interface Part {
  readonly call: string
  readonly from: string
  readonly to?: string | undefined
  readonly n: number
  readonly part: number
  readonly of: number
  readonly data: string
}

/** The payloads of a message, in the order of sending. */
export function payloadsOf({ callId, from, to, message }: Envelope, n: number): readonly string[] {
  const json = JSON.stringify(message)
  const of = Math.ceil(json.length / PART_LENGTH)
  return Array.from({ length: of }, (_, part) => {
    const data = json.slice(part * PART_LENGTH, (part + 1) * PART_LENGTH)
    return JSON.stringify({ call: callId, from, to, n, part, of, data } satisfies Part)
  })
}

/** Joins the parts of messages. Bounded: `MAX_DEVICES` devices, the oldest is forgotten. */
export class MessageReader {
  /** By user and device: the last message, with its parts as far as they have arrived. */
  readonly #devices = new Map<string, { readonly n: number; parts: string[] }>()

  /** The message that this payload completes; null if it completes none or is not a part of one. */
  read(fromUserId: string, payload: string): Envelope | null {
    const part = readPart(payload)
    if (!part) return null
    const device = `${fromUserId} ${part.from}`
    let last = this.#devices.get(device)
    if (last && part.n < last.n) return null
    if (!last || part.n > last.n) last = { n: part.n, parts: [] }
    if (part.part !== last.parts.length) return null
    this.#devices.delete(device)
    this.#devices.set(device, last)
    if (this.#devices.size > MAX_DEVICES) this.#devices.delete(this.#devices.keys().next().value as string)
    last.parts.push(part.data)
    if (last.parts.length < part.of) return null
    const message = parse(last.parts.join('')) as CallMessage | null
    // The number of parts stays, so that a repeated part counts once.
    last.parts = new Array<string>(part.of).fill('')
    if (typeof message?.type !== 'string') return null
    return { callId: part.call, from: part.from, to: part.to, message }
  }
}

function readPart(payload: string): Part | null {
  const part = parse(payload) as Part | null
  const isPart =
    typeof part?.call === 'string' &&
    typeof part.from === 'string' &&
    typeof part.data === 'string' &&
    Number.isInteger(part.n) &&
    Number.isInteger(part.part) &&
    part.of <= MAX_PARTS
  return isPart ? part : null
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}
