/**
 * Duration of WebM and Matroska: `Segment` / `Info` / `Duration`, in ticks of `TimestampScale`.
 * Browser recordings often have no duration. https://www.rfc-editor.org/rfc/rfc9559
 */
import type { ByteSource } from './byte-source.ts'

const HEAD_BYTES = 64 * 1024
const MAX_ELEMENTS = 64
const SEGMENT = 0x18538067
const INFO = 0x1549a966
const TIMESTAMP_SCALE = 0x2ad7b1
const DURATION = 0x4489
const DEFAULT_SCALE_NS = 1_000_000

interface Element {
  readonly id: number
  /** Position of the content. */
  readonly start: number
  readonly end: number
}

export async function matroskaDuration(source: ByteSource): Promise<number | null> {
  const head = await source.read(0, HEAD_BYTES)
  const segment = find(head, SEGMENT, 0, head.length)
  const info = segment && find(head, INFO, segment.start, segment.end)
  if (!info) return null
  const duration = find(head, DURATION, info.start, info.end)
  if (!duration) return null
  const wide = duration.end - duration.start === 8
  const ticks = wide ? head.readDoubleBE(duration.start) : head.readFloatBE(duration.start)
  const scale = find(head, TIMESTAMP_SCALE, info.start, info.end)
  const bytes = scale ? scale.end - scale.start : 0
  const tickNs = scale && bytes > 0 && bytes <= 6 ? head.readUIntBE(scale.start, bytes) : DEFAULT_SCALE_NS
  return (ticks * tickNs) / 1e9
}

function find(head: Buffer, id: number, from: number, end: number): Element | null {
  let at = from
  for (let i = 0; i < MAX_ELEMENTS && at < end; i++) {
    const element = elementAt(head, at)
    if (!element) return null
    if (element.id === id) return { ...element, end: Math.min(element.end, end) }
    at = element.end
  }
  return null
}

function elementAt(head: Buffer, at: number): Element | null {
  const idBytes = lengthOf(head[at])
  const sizeBytes = lengthOf(head[at + idBytes])
  if (idBytes === 0 || idBytes > 4 || sizeBytes === 0 || at + idBytes + sizeBytes > head.length) return null
  const id = head.readUIntBE(at, idBytes)
  const start = at + idBytes + sizeBytes
  let size = (head[at + idBytes] as number) & (0xff >> sizeBytes)
  let unknown = size === 0xff >> sizeBytes
  for (let i = 1; i < sizeBytes; i++) {
    const byte = head[at + idBytes + i] as number
    size = size * 256 + byte
    unknown = unknown && byte === 0xff
  }
  // A live stream has an unknown size: the element lasts to the end.
  return { id, start, end: unknown ? head.length : start + size }
}

/** Length of a number in bytes: the leading zeros of its first byte encode it. */
function lengthOf(first: number | undefined): number {
  return first ? Math.clz32(first) - 23 : 0
}
