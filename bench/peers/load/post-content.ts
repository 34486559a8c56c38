/**
 * Post content: the text of every post. It states when the post was due, who sent it and its number, so
 * that a delivery can be timed from the intended time and counted once, whatever the peer.
 */
const MARK = Buffer.from('due:')
const DUE_DIGITS = 12
const SENDER_DIGITS = 6
const NUMBER_DIGITS = 7
const REST = ' a message of about the usual length, as people write them'

/** What a delivery says about its post. */
export interface PostMark {
  dueUs: number
  sender: number
  number: number
}

export function contentOf(dueUs: number, sender: number, number: number, more = ''): string {
  return (
    `due:${String(dueUs).padStart(DUE_DIGITS, '0')}${String(sender).padStart(SENDER_DIGITS, '0')}` +
    `${String(number).padStart(NUMBER_DIGITS, '0')}${REST}${more}`
  )
}

/** One object for all deliveries: it is valid until the next call. */
const mark: PostMark = { dueUs: 0, sender: 0, number: 0 }

export function markOf(bytes: Buffer, start: number, end: number): Readonly<PostMark> {
  const at = bytes.indexOf(MARK, start) + MARK.length
  if (at < MARK.length || at + DUE_DIGITS + SENDER_DIGITS + NUMBER_DIGITS > end) {
    throw new Error('a delivery without its mark')
  }
  mark.dueUs = numberAt(bytes, at, DUE_DIGITS)
  mark.sender = numberAt(bytes, at + DUE_DIGITS, SENDER_DIGITS)
  mark.number = numberAt(bytes, at + DUE_DIGITS + SENDER_DIGITS, NUMBER_DIGITS)
  return mark
}

/** Microseconds since this process began: one clock for senders and receivers. */
export function nowUs(): number {
  return Math.floor(performance.now() * 1_000)
}

function numberAt(bytes: Buffer, at: number, digits: number): number {
  let value = 0
  for (let i = at; i < at + digits; i++) value = value * 10 + ((bytes[i] as number) - 48)
  return value
}
