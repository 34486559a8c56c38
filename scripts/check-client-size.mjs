/**
 * Client size: what a page downloads of `tertulia/client`, bundled, minified and compressed.
 *
 *   node scripts/check-client-size.mjs       exit code 1 above the limit; lists the largest files
 */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const MAX_BYTES = 18_000
const LISTED = 10

const { metafile, outputFiles } = await build({
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  entryPoints: ['client/index.ts'],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  outfile: 'client.js',
  write: false,
  metafile: true,
})
const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length
const parts = Object.entries(metafile.outputs['client.js'].inputs)
  .map(([path, { bytesInOutput }]) => [path, bytesInOutput])
  .sort(([, a], [, b]) => b - a)
for (const [path, size] of parts.slice(0, LISTED)) console.log(String(size).padStart(7), path)
console.log(`tertulia/client: ${bytes} bytes minified and gzipped, at most ${MAX_BYTES}`)
process.exitCode = bytes > MAX_BYTES ? 1 : 0
