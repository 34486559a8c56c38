/**
 * Encodings: any of the forms that msgpack allows for a value (TRN-4), for tests that no reader
 * depends on the shortest one. Integers get any width and sign that holds them, strings, bytes and
 * lists any length header.
 */
import fc from 'fast-check'

/** The bytes of `value`, in a form that fast-check chooses part by part. */
export function arbitraryEncoding(value: unknown): fc.Arbitrary<Uint8Array> {
  if (value === null || value === undefined) return fc.constant(Uint8Array.of(0xc0))
  if (typeof value === 'boolean') return fc.constant(Uint8Array.of(value ? 0xc3 : 0xc2))
  if (typeof value === 'bigint' || typeof value === 'number')
    return fc.constantFrom(...integerForms(BigInt(value)))
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    return fc
      .constantFrom(...headers(bytes.length, 0xa0, 31, 0xd9))
      .map((header) => Buffer.concat([header, bytes]))
  }
  if (value instanceof Uint8Array) {
    return fc
      .constantFrom(...headers(value.length, 0, -1, 0xc4))
      .map((header) => Buffer.concat([header, value]))
  }
  if (!Array.isArray(value)) throw new Error(`no request holds ${typeof value}`)
  const items = value as readonly unknown[]
  return fc
    .tuple(
      fc.constantFrom(...headers(items.length, 0x90, 15, 0xdb).filter(([tag]) => tag !== 0xdb)),
      fc.tuple(...items.map(arbitraryEncoding)),
    )
    .map(([header, parts]) => Buffer.concat([header, ...parts]))
}

/** Every integer encoding that holds `value`. */
export function integerForms(value: bigint): readonly Uint8Array[] {
  const forms: Uint8Array[] = []
  if (value >= 0n && value <= 0x7fn) forms.push(Uint8Array.of(Number(value)))
  for (const [power, bytes] of [1, 2, 4, 8].entries()) {
    const bits = BigInt(8 * bytes)
    if (value < 1n << bits) forms.push(integer(0xcc + power, bytes, value))
    if (value < 1n << (bits - 1n)) forms.push(integer(0xd0 + power, bytes, value))
  }
  return forms
}

function integer(tag: number, bytes: number, value: bigint): Uint8Array {
  const form = Buffer.alloc(9)
  form.writeBigUInt64BE(value, 1)
  return Buffer.concat([Uint8Array.of(tag), form.subarray(9 - bytes)])
}

/** Every length header: in the tag up to `maxFixed`, then one, two and four bytes from the tag `first` on. */
function headers(length: number, fixed: number, maxFixed: number, first: number): readonly Uint8Array[] {
  const forms: Uint8Array[] = []
  if (length <= maxFixed) forms.push(Uint8Array.of(fixed | length))
  for (const [power, bytes] of [1, 2, 4].entries()) {
    if (length < 2 ** (8 * bytes)) forms.push(integer(first + power, bytes, BigInt(length)))
  }
  return forms
}
