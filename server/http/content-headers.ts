/**
 * Content headers: how the bytes of a file are given to a browser.
 *
 * What a browser would run is saved, not shown, whatever its name says. The name is the uploader's,
 * without path, control characters and bidirectional overrides (TXT-1; RFC 6266, RFC 8187).
 */
import type { File } from '../../protocol/records.ts'
import { lastPathPart, safeName } from '../../protocol/text-rules.ts'

/** What a browser may show by itself; everything else is saved. */
const shown = /^(image\/(?!svg)|audio\/|video\/)|^(application\/pdf|text\/plain)$/

/** The headers of a download, except those of caching and ranges. */
export function contentHeaders({ mimeType, fileName: stored }: File): Readonly<Record<string, string>> {
  const inline = shown.test(mimeType)
  // New files have safe names; those of older data folders may hold anything (TXT-1).
  const fileName = safeName(lastPathPart(stored)) || 'file'
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\]/g, '_')
  const encoded = encodeURIComponent(fileName.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return {
    'Content-Type': mimeType.startsWith('text/') ? `${mimeType}; charset=utf-8` : mimeType,
    'Content-Disposition': `${inline ? 'inline' : 'attachment'}; filename="${ascii}"; filename*=UTF-8''${encoded}`,
    // Browsers show no PDF in a sandbox; their viewers are one.
    ...(mimeType !== 'application/pdf' && { 'Content-Security-Policy': 'sandbox' }),
    'Referrer-Policy': 'no-referrer',
  }
}
