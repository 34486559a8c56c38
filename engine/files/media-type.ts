/**
 * Media type: what a file is, by its bytes first and its sender's word second.
 *
 * Known bytes decide. A claim counts where the bytes leave something open: which of the formats
 * inside a container (a voice message is `audio/webm`, its bytes say `video/webm`), which kind of
 * text, or, where nothing is known of them, a claim that no browser would show or run.
 */
const UNKNOWN_TYPE = 'application/octet-stream'
/** Enough for every signature; what it has to unpack inside is no larger. */
const SIGNATURE_BYTES = 4_100

/** What a container may be said to hold, where its bytes do not tell. */
const inside: Readonly<Record<string, RegExp>> = {
  'application/zip': /^application\/(vnd\.|epub\+zip|java-archive|x-zip)/,
  'application/x-cfb': /^application\/(msword|vnd\.ms-|x-msi|vnd\.visio)/,
  'application/xml': /^application\/([a-z0-9.-]+\+)?xml$/,
  'application/ogg': /^(audio|video)\/ogg$/,
  'audio/ogg': /^audio\/(ogg|opus)$/,
  'video/webm': /^audio\/webm$/,
  'video/matroska': /^(audio|video)\/(x-)?matroska$/,
  'video/mp4': /^(audio\/(mp4|m4a|x-m4a|aac)|video\/(mp4|quicktime|x-m4v))$/,
  'video/quicktime': /^(audio\/mp4|video\/mp4)$/,
  'video/3gpp': /^audio\/3gpp2?$/,
}

/** No file of these is all text: "BMW" is no bitmap, whatever its first two letters say. */
const binary = /^(image\/(?!svg)|audio\/(?!.*mpegurl)|video\/|font\/)|msdownload|compress|flash/

/** Of unknown bytes: nothing that a browser shows by itself or runs. */
const harmless = /^(application|font|model)\/[a-z0-9][a-z0-9.+-]*$/
const notHarmless = /pdf|xml|html|script|wasm|shockwave|flash|json/
const textual =
  /^text\/|^application\/([a-z0-9.-]+\+)?(json|xml|yaml|x-yaml|toml|sql|x-sh|javascript|ecmascript|typescript)$/

/** The type of a file that begins with `head`, which is all of it where `whole`. Never throws. */
export async function mediaType(head: Uint8Array, whole: boolean, claim?: string): Promise<string> {
  const claimed = normalized(claim)
  const found = await signature(head)
  const text = isText(head, whole)
  if (found !== null && !(text && binary.test(found))) {
    if (found === 'application/xml' && looksLikeSvg(head)) return 'image/svg+xml'
    return claimed !== null && inside[found]?.test(claimed) ? claimed : found
  }
  if (text) {
    if (looksLikeSvg(head)) return 'image/svg+xml'
    return claimed !== null && textual.test(claimed) ? claimed : 'text/plain'
  }
  return claimed !== null && harmless.test(claimed) && !notHarmless.test(claimed) ? claimed : UNKNOWN_TYPE
}

async function signature(head: Uint8Array): Promise<string | null> {
  // Loaded with the first file: loading takes longer than that of everything else in the file thread.
  const { fileTypeFromBuffer } = await import('file-type')
  try {
    const found = await fileTypeFromBuffer(head.subarray(0, SIGNATURE_BYTES))
    return normalized(found?.mime)
  } catch {
    return null
  }
}

/** A type without its parameters, in lower case; null for what is none. */
function normalized(type: string | undefined): string | null {
  const bare = type?.split(';')[0]?.trim().toLowerCase() ?? ''
  return /^[a-z]+\/[a-z0-9][a-z0-9.+_-]*$/.test(bare) ? bare : null
}

/** UTF-8 without control characters, which may end in the middle of one where there is more. */
function isText(head: Uint8Array, whole: boolean): boolean {
  if (head.length === 0) return false
  if (head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d)) {
    return false
  }
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: !whole })
    return true
  } catch {
    return false
  }
}

function looksLikeSvg(head: Uint8Array): boolean {
  const start = Buffer.from(head.subarray(0, SIGNATURE_BYTES)).toString('latin1')
  return /<svg[\s>]/i.test(start)
}
