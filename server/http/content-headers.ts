/**
 * Content headers: how a browser handles the bytes of a file.
 *
 * Types that a browser would execute are downloaded, not displayed, whatever the file's name. The name was
 * chosen by the uploader; path, control characters and bidirectional overrides are removed (TXT-1; RFC
 * 6266, RFC 8187).
 */
import type { File } from '../../protocol/records.ts'
import { lastPathPart, safeName } from '../../protocol/text-rules.ts'

/** Types that a browser may display; all others are downloaded. */
const shown = /^(image\/(?!svg)|audio\/|video\/)|^(application\/pdf|text\/plain)$/

/** The headers of a download, except those of caching and ranges. */
export function contentHeaders({ mimeType, fileName: stored }: File): Readonly<Record<string, string>> {
  const inline = shown.test(mimeType)
  // New files have safe names; names in older data folders were not checked (TXT-1).
  const fileName = safeName(lastPathPart(stored)) || 'file'
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\]/g, '_')
  const encoded = encodeURIComponent(fileName.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return {
    'Content-Type': mimeType.startsWith('text/') ? `${mimeType}; charset=utf-8` : mimeType,
    'Content-Disposition': `${inline ? 'inline' : 'attachment'}; filename="${ascii}"; filename*=UTF-8''${encoded}`,
    // Browsers do not display a PDF in a sandbox; their viewers are sandboxed.
    ...(mimeType !== 'application/pdf' && { 'Content-Security-Policy': 'sandbox' }),
    'Referrer-Policy': 'no-referrer',
  }
}
