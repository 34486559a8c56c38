/**
 * Web size: what a browser downloads before the page is usable, compressed as the server sends it.
 *
 *   node scripts/check-web-size.mjs       exit code 1 above the limit; build first
 *
 * The first load is the page, its scripts and styles, and what they import without being asked to. Parts
 * that are loaded later (a language, emoji, calls, the dashboard) are listed, without a limit.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

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
  const stored = readFileSync(join(folder, file.file))
  const text = (file.encoding ? gunzipSync(stored) : stored).toString()
  const links =
    path === '/'
      ? text.matchAll(/(?:src|href)="(\.\/assets\/[^"]+)"/g)
      : text.matchAll(/(?:\bfrom|\bimport)\s*["'`](\.[^"'`]+\.js)["'`]/g)
  for (const [, link] of links) load(new URL(link, `http://host${path}`).pathname)
}
load('/')

const sizeOf = (path) => statSync(join(folder, files.get(path).file)).size
const assets = [...files.keys()].filter((path) => path === '/' || path.startsWith('/assets/'))
for (const path of assets.sort((a, b) => sizeOf(b) - sizeOf(a))) {
  console.log(String(sizeOf(path)).padStart(7), path, first.has(path) ? '' : '(later)')
}
const bytes = [...first].reduce((sum, path) => sum + sizeOf(path), 0)
console.log(`the page: ${bytes} bytes at first load, at most ${MAX_BYTES}`)
process.exitCode = bytes > MAX_BYTES || first.size < 3 ? 1 : 0
