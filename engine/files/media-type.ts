/**
 * Media type: determines the type of a file from its bytes, then from the type its sender stated.
 *
 * A known signature decides. The sender's claim is used only where the bytes are ambiguous: for the
 * format inside a container (a voice message is `audio/webm`, its bytes say `video/webm`), for the
 * kind of text, or, for unknown bytes, if it is a type that no browser shows or runs.
 */
const UNKNOWN_TYPE = 'application/octet-stream'
/** Sufficient for every signature; also limits what the detector unpacks. */
const SIGNATURE_BYTES = 4_100

/** The claims that are accepted for a container. */
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

/** Types whose files are never plain text: a text that begins with "BMW" is not a bitmap. */
const binary = /^(image\/(?!svg)|audio\/(?!.*mpegurl)|video\/|font\/)|msdownload|compress|flash/

/** Claims accepted for unknown bytes: types that a browser neither shows nor runs. */
const harmless = /^(application|font|model)\/[a-z0-9][a-z0-9.+-]*$/
const notHarmless = /pdf|xml|html|script|wasm|shockwave|flash|json/
const textual =
  /^text\/|^application\/([a-z0-9.-]+\+)?(json|xml|yaml|x-yaml|toml|sql|x-sh|javascript|ecmascript|typescript)$/

/** The type of a file that begins with `head`; `whole` means that `head` is the entire file. Never throws. */
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

/** A type without its parameters, in lower case; null if it is not a media type. */
function normalized(type: string | undefined): string | null {
  const bare = type?.split(';')[0]?.trim().toLowerCase() ?? ''
  return /^[a-z]+\/[a-z0-9][a-z0-9.+_-]*$/.test(bare) ? bare : null
}

/** Whether it is UTF-8 without control characters. Unless `whole`, it may end inside a character. */
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
