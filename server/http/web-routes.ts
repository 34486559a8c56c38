/**
 * Web routes: the pages at `/` and `/admin`, and their files.
 *
 * The build lists its files in `dist/web/files.json`; each has a route of its own and is read once, when
 * it is requested first. No path is made from a request. Files are stored compressed by Brotli, which browsers
 * accept over TLS and from this machine; other requests get gzip, made once for each file, or no compression.
 * Names of assets change with their content: browsers store them for a year, and ask for everything else
 * each time.
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliDecompress, gzip } from 'node:zlib'
import type { HttpReply } from './reply.ts'
import type { Route } from './router.ts'
import type { BodySource } from './send-body.ts'

interface WebFile {
  readonly path: string
  readonly file: string
  readonly type: string
  readonly isCompressed?: true
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

type Encoding = 'br' | 'gzip' | 'identity'

/** The routes; none if the pages are not built, as when the server runs from its sources. */
export function webRoutes(): readonly Route[] {
  return listOfFiles().map((file) => {
    const contents = new Map<Encoding, Promise<Buffer>>()
    return {
      method: 'GET',
      pattern: file.path,
      handle: ({ headers }) => replyOf(file, headers, contents),
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

async function replyOf(
  file: WebFile,
  given: Readonly<Record<string, string>>,
  contents: Map<Encoding, Promise<Buffer>>,
): Promise<HttpReply> {
  const headers: Record<string, string> = {
    'Content-Type': file.type,
    'Cache-Control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: file.etag,
    ...(file.type.startsWith('text/html') && pageHeaders),
  }
  if (matches(given['if-none-match'], file.etag)) return { status: 304, headers }
  const encoding = file.isCompressed ? encodingFor(given['accept-encoding']) : 'identity'
  if (file.isCompressed) headers['Vary'] = 'Accept-Encoding'
  if (encoding !== 'identity') headers['Content-Encoding'] = encoding
  let content = contents.get(encoding)
  if (!content) {
    content = contentOf(file, encoding)
    contents.set(encoding, content)
  }
  return { status: 200, headers, body: bodyOf(await content) }
}

async function contentOf(file: WebFile, encoding: Encoding): Promise<Buffer> {
  const stored = await readFile(new URL(file.file, folder))
  if (!file.isCompressed || encoding === 'br') return stored
  const plain = await promisify(brotliDecompress)(stored)
  return encoding === 'gzip' ? promisify(gzip)(plain, { level: 9 }) : plain
}

/** Whether If-None-Match contains the tag; proxies that compress mark it as weak. */
function matches(given: string | undefined, etag: string): boolean {
  return given?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag) ?? false
}

/** The smallest encoding that the client accepts. */
function encodingFor(given = ''): Encoding {
  const accepted = given
    .toLowerCase()
    .split(',')
    .filter((one) => !/;\s*q=0(\.0*)?\s*$/.test(one))
    .map((one) => one.split(';', 1)[0]?.trim())
  return (
    (['br', 'gzip'] as const).find((one) => accepted.includes(one) || accepted.includes('*')) ?? 'identity'
  )
}

function bodyOf(bytes: Buffer): BodySource {
  return {
    length: bytes.length,
    read: async (into, position) => bytes.copy(into, 0, position),
    close: async () => undefined,
  }
}
