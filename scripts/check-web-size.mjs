/**
 * Web size: what a browser downloads before the page is usable, by gzip: without TLS browsers accept no Brotli.
 *
 *   node scripts/check-web-size.mjs       exit code 1 above the limit; build first
 *
 * The first load is the page, its scripts and styles, and what they import without being asked to. Parts
 * that are loaded later (a language, emoji, calls, the dashboard) are listed, without a limit.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync, gzipSync } from 'node:zlib'

const MAX_BYTES = 80_000
const folder = fileURLToPath(new URL('../dist/web', import.meta.url))
const files = new Map(
  JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8')).map((one) => [one.path, one]),
)

const first = new Set()
function load(path) {
  const file = files.get(path)
  if (!file || first.has(path)) return
  first.add(path)
  const text = contentOf(path).toString()
  const links =
    path === '/'
      ? text.matchAll(/(?:src|href)="(\.\/assets\/[^"]+)"/g)
      : text.matchAll(/(?:\bfrom|\bimport)\s*["'`](\.[^"'`]+\.js)["'`]/g)
  for (const [, link] of links) load(new URL(link, `http://host${path}`).pathname)
}
function contentOf(path) {
  const { file, isCompressed } = files.get(path)
  const stored = readFileSync(join(folder, file))
  return isCompressed ? brotliDecompressSync(stored) : stored
}
load('/')

const sizes = new Map([...files.keys()].map((path) => [path, gzipSync(contentOf(path), { level: 9 }).length]))
const sizeOf = (path) => sizes.get(path)
const assets = [...files.keys()].filter((path) => path === '/' || path.startsWith('/assets/'))
for (const path of assets.sort((a, b) => sizeOf(b) - sizeOf(a))) {
  console.log(String(sizeOf(path)).padStart(7), path, first.has(path) ? '' : '(later)')
}
const bytes = [...first].reduce((sum, path) => sum + sizeOf(path), 0)
console.log(`the page: ${bytes} bytes at first load, at most ${MAX_BYTES}`)
process.exitCode = bytes > MAX_BYTES || first.size < 3 ? 1 : 0
