/** The number of the colours of avatars and names. */
const COLOURS = 8

/** The colour of a person or group: a number from the id, which stays the same. */
export function colourOf(id: string): number {
  let hash = 0
  for (const char of id) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01_00_01_93)
  return ((hash ^ (hash >>> 15)) >>> 0) % COLOURS
}
