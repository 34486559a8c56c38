/**
 * Msgpack for the SDK: what frames consist of, in a tenth of the size of a general library (TRN-4).
 *
 * Encodes nil, booleans, numbers, BigInts, strings, bytes, arrays and plain objects, integers in their
 * shortest form. Decodes every encoding of the same values; 64-bit integers become numbers, and an
 * extension type, which no frame contains, becomes null. Decoded bytes are a view of the frame.
 */

const MAX_DEPTH = 100
/** Strings up to this size are mostly ASCII, and converted faster without a call of the native codec. */
const SHORT_TEXT_BYTES = 32

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The bytes of `value`.
 * @throws RangeError for a value that is nested more than 100 levels deep or wider than 64 bits;
 *   TypeError for a function or a symbol.
 */
export function pack(value: unknown): Uint8Array {
  const writer = new Writer()
  writer.value(value, 0)
  return writer.bytes()
}

/** The value of a frame. @throws RangeError if the frame ends too early or too late */
export function unpack(frame: Uint8Array): unknown {
  const reader = new Reader(frame)
  const value = reader.value()
  if (reader.at !== frame.length) throw new RangeError('bytes follow the value')
  return value
}

class Writer {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  value(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) throw new RangeError('nested too deeply')
    if (value === null || value === undefined) this.#byte(0xc0)
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'bigint') this.#wideInteger(value)
    else if (typeof value === 'string') {
      this.#text(value)
    } else if (value instanceof Uint8Array) {
      this.#header(value.length, 0, -1, 0xc4)
      this.#append(value)
    } else if (Array.isArray(value)) {
      this.#header(value.length, 0x90, 15, 0xdb)
      for (const part of value) this.value(part, depth + 1)
    } else if (typeof value === 'object') {
      const entries = Object.entries(value)
      this.#header(entries.length, 0x80, 15, 0xdd)
      for (const [key, part] of entries) {
        this.value(key, depth + 1)
        this.value(part, depth + 1)
      }
    } else {
      throw new TypeError(`no msgpack for a ${typeof value}`)
    }
  }

  #text(text: string): void {
    if (text.length < SHORT_TEXT_BYTES && this.#ascii(text)) return
    const bytes = utf8Encoder.encode(text)
    this.#header(bytes.length, 0xa0, 31, 0xd9)
    this.#append(bytes)
  }

  /** Writes a text of at most 31 characters, unless one is not ASCII: then it writes nothing. */
  #ascii(text: string): boolean {
    this.#reserve(SHORT_TEXT_BYTES)
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return false
      this.#bytes[this.#at + 1 + i] = code
    }
    this.#bytes[this.#at] = 0xa0 | text.length
    this.#at += 1 + text.length
    return true
  }

  #number(value: number): void {
    if (Number.isInteger(value) && value >= -0x8000_0000 && value <= 0xffff_ffff) {
      if (value >= 0) {
        if (value < 0x80) this.#byte(value)
        else this.#tagged(0xcc, value)
      } else if (value >= -0x20) this.#byte(value)
      else if (value >= -0x80) this.#integer(0xd0, 1, value)
      else if (value >= -0x8000) this.#integer(0xd1, 2, value)
      else this.#integer(0xd2, 4, value)
    } else {
      this.#byte(0xcb)
      this.#reserve(8)
      this.#view.setFloat64(this.#at, value)
      this.#at += 8
    }
  }

  #wideInteger(value: bigint): void {
    const [tag, inRange] =
      value < 0n ? [0xd3, BigInt.asIntN(64, value) === value] : [0xcf, BigInt.asUintN(64, value) === value]
    if (!inRange) throw new RangeError('wider than 64 bits')
    this.#byte(tag)
    this.#reserve(8)
    this.#view.setBigInt64(this.#at, BigInt.asIntN(64, value))
    this.#at += 8
  }

  /** The header of a value with a length: up to `maxFixed` in the tag, else behind one of the tags from `first` on. */
  #header(length: number, fixed: number, maxFixed: number, first: number): void {
    if (length <= maxFixed) this.#byte(fixed | length)
    // Lists and maps have no length of one byte: their tags are those of two and four.
    else if (maxFixed === 15)
      this.#integer(first + (length > 0xffff ? 2 : 1), length > 0xffff ? 4 : 2, length)
    else this.#tagged(first, length)
  }

  /** An unsigned integer behind the tag of its width. */
  #tagged(first: number, value: number): void {
    if (value <= 0xff) this.#integer(first, 1, value)
    else if (value <= 0xffff) this.#integer(first + 1, 2, value)
    else this.#integer(first + 2, 4, value)
  }

  #integer(tag: number, bytes: number, value: number): void {
    this.#byte(tag)
    for (let shift = 8 * (bytes - 1); shift >= 0; shift -= 8) this.#byte(value >>> shift)
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = value
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  at = 0

  constructor(frame: Uint8Array) {
    this.#bytes = frame
    this.#view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  }

  value(): unknown {
    const tag = this.#uint(1)
    if (tag < 0x80) return tag
    if (tag < 0x90) return this.#map(tag & 15)
    if (tag < 0xa0) return this.#list(tag & 15)
    if (tag < 0xc0) return this.#text(tag & 31)
    if (tag >= 0xe0) return tag - 0x100
    // 0xc1 is never used. The width of a length is in the last bits of the tag.
    if (tag < 0xc2) return null
    if (tag < 0xc4) return tag === 0xc3
    if (tag < 0xc7) return this.#take(this.#uint(1 << (tag - 0xc4)))
    if (tag < 0xca) return this.#extension(this.#uint(1 << (tag - 0xc7)))
    if (tag === 0xca) return this.#view.getFloat32(this.#skip(4))
    if (tag === 0xcb) return this.#view.getFloat64(this.#skip(8))
    if (tag < 0xcf) return this.#uint(1 << (tag - 0xcc))
    if (tag === 0xcf) return Number(this.#view.getBigUint64(this.#skip(8)))
    if (tag === 0xd0) return this.#view.getInt8(this.#skip(1))
    if (tag === 0xd1) return this.#view.getInt16(this.#skip(2))
    if (tag === 0xd2) return this.#view.getInt32(this.#skip(4))
    if (tag === 0xd3) return Number(this.#view.getBigInt64(this.#skip(8)))
    if (tag < 0xd9) return this.#extension(1 << (tag - 0xd4))
    if (tag < 0xdc) return this.#text(this.#uint(1 << (tag - 0xd9)))
    if (tag < 0xde) return this.#list(this.#uint(2 << (tag - 0xdc)))
    return this.#map(this.#uint(2 << (tag - 0xde)))
  }

  #list(length: number): unknown[] {
    const list: unknown[] = []
    for (let i = 0; i < length; i++) list.push(this.value())
    return list
  }

  #map(length: number): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const key = String(this.value())
      const value = this.value()
      // The assignment would replace the prototype.
      if (key !== '__proto__') map[key] = value
    }
    return map
  }

  #text(length: number): string {
    const start = this.#skip(length)
    if (length <= SHORT_TEXT_BYTES) {
      let text = ''
      let at = start
      for (; at < this.at; at++) {
        const byte = this.#bytes[at] as number
        if (byte >= 0x80) break
        text += String.fromCharCode(byte)
      }
      if (at === this.at) return text
    }
    return utf8Decoder.decode(this.#bytes.subarray(start, this.at))
  }

  #extension(length: number): null {
    this.#skip(length + 1)
    return null
  }

  #uint(bytes: number): number {
    const start = this.#skip(bytes)
    if (bytes === 1) return this.#bytes[start] as number
    return bytes === 2 ? this.#view.getUint16(start) : this.#view.getUint32(start)
  }

  #take(length: number): Uint8Array {
    const start = this.#skip(length)
    return this.#bytes.subarray(start, this.at)
  }

  /** Moves over `bytes` bytes and returns where they start. */
  #skip(bytes: number): number {
    const start = this.at
    if (start + bytes > this.#bytes.length) throw new RangeError('the frame ends too early')
    this.at = start + bytes
    return start
  }
}
