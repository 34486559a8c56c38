/**
 * Address text: the canonical text of an address of 4 or 16 bytes.
 */

/** IPv4 in dotted form, also if it is mapped into IPv6; IPv6 as in RFC 5952; empty for no bytes. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return ''
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  if (isMapped) return bytes.subarray(12).join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number)).toString(16),
  )
  // The host of a URL is normalised to the short form.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
