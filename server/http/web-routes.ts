/**
 * Web routes: the pages at `/` and `/admin`, and their files.
 *
 * The build lists its files in `dist/web/files.json`; each has a route of its own and is read once, when
 * it is requested first. No path is made from a request. Files are stored compressed; a client that does
 * not accept gzip gets them decompressed. Names of assets change with their content: browsers store them
 * for a year, and ask for everything else each time.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { HttpReply } from './reply.ts'
import type { Route } from './router.ts'
import type { BodySource } from './send-body.ts'

interface WebFile {
  readonly path: string
  readonly file: string
  readonly type: string
  readonly encoding?: 'gzip'
  readonly etag: string
  readonly isImmutable?: true
}

const folder = new URL('../../web/', import.meta.url)

/** Scripts and styles are files of this server; nothing is loaded from elsewhere or made from text. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self' blob:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types tertulia',
].join('; ')

const pageHeaders = {
  'Content-Security-Policy': policy,
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(self), microphone=(self), display-capture=(self), geolocation=()',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

/** The routes; none if the pages are not built, as when the server runs from its sources. */
export function webRoutes(): readonly Route[] {
  return listOfFiles().map((file) => {
    let content: Buffer | undefined
    return {
      method: 'GET',
      pattern: file.path,
      handle: ({ headers }) => {
        content ??= readFileSync(new URL(file.file, folder))
        return replyOf(file, content, headers)
      },
    }
  })
}

function listOfFiles(): readonly WebFile[] {
  try {
    return JSON.parse(readFileSync(new URL('files.json', folder), 'utf8')) as WebFile[]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function replyOf(file: WebFile, content: Buffer, given: Readonly<Record<string, string>>): HttpReply {
  const headers: Record<string, string> = {
    'Content-Type': file.type,
    'Cache-Control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: file.etag,
    ...(file.type.startsWith('text/html') && pageHeaders),
  }
  if (matches(given['if-none-match'], file.etag)) return { status: 304, headers }
  if (file.encoding !== 'gzip') return { status: 200, headers, body: bodyOf(content) }
  headers['Vary'] = 'Accept-Encoding'
  if (!acceptsGzip(given['accept-encoding']))
    return { status: 200, headers, body: bodyOf(gunzipSync(content)) }
  headers['Content-Encoding'] = 'gzip'
  return { status: 200, headers, body: bodyOf(content) }
}

/** Whether If-None-Match contains the tag; proxies that compress mark it as weak. */
function matches(given: string | undefined, etag: string): boolean {
  return given?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag) ?? false
}

function acceptsGzip(given = ''): boolean {
  return given
    .split(',')
    .some((one) => /^\s*(gzip|\*)\s*(;|$)/i.test(one) && !/;\s*q=0(\.0*)?\s*$/i.test(one))
}

function bodyOf(bytes: Buffer): BodySource {
  return {
    length: bytes.length,
    read: async (into, position) => bytes.copy(into, 0, position),
    close: async () => undefined,
  }
}
