/**
 * Temp id: the key that makes sending a message idempotent. Random, so that ids of devices do not collide.
 */
const BYTES = 15

/** 120 random bits as 20 characters. `crypto.randomUUID` is missing in pages without TLS. */
export function makeTempId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}
