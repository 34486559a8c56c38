/**
 * ASCII: topics, reasons and group ids in records.
 */

/** The text from byte `from` on. */
export function ascii(bytes: Uint8Array, from = 0): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', from)
}
