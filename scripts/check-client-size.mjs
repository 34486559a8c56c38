/**
 * Client size: what a page downloads of `tertulia/client`, and of it with the store, its cache and the binding
 * for React; bundled, minified and compressed.
 *
 *   node scripts/check-client-size.mjs       exit code 1 above a limit; lists the largest files
 */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const LISTED = 10
const bundles = [
  { name: 'tertulia/client', entry: 'client/index.ts', maxBytes: 18_000 },
  {
    name: 'tertulia/store and tertulia/react',
    code: "export * from './client/store/index.ts'; export * from './client/adapters/react.ts'",
    maxBytes: 40_900,
  },
]

for (const { name, entry, code, maxBytes } of bundles) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    ...(entry
      ? { entryPoints: [entry] }
      : { stdin: { contents: code, resolveDir: fileURLToPath(new URL('..', import.meta.url)) } }),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['react'],
    outfile: 'client.js',
    write: false,
    metafile: true,
  })
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length
  const parts = Object.entries(metafile.outputs['client.js'].inputs)
    .map(([path, { bytesInOutput }]) => [path, bytesInOutput])
    .sort(([, a], [, b]) => b - a)
  for (const [path, size] of parts.slice(0, LISTED)) console.log(String(size).padStart(7), path)
  console.log(`${name}: ${bytes} bytes minified and gzipped, at most ${maxBytes}`)
  if (bytes > maxBytes) process.exitCode = 1
}
