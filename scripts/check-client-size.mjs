/**
 * Client size: what a page downloads of `tertulia/client`, and of it with the store, its cache and the binding
 * for React; bundled, minified and compressed. The store loads the client beside the cached state: its first load
 * is what shows that state, all of it what also connects.
 *
 *   node scripts/check-client-size.mjs       exit code 1 above a limit; lists the largest files
 */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const LISTED = 10
const root = fileURLToPath(new URL('..', import.meta.url))
const bundles = [
  { name: 'tertulia/client', code: "export * from './client/index.ts'", maxFirst: 15_800, maxBytes: 15_800 },
  {
    name: 'tertulia/store and tertulia/react',
    code: "export * from './client/store/index.ts'; export * from './client/adapters/react.ts'",
    maxFirst: 27_600,
    maxBytes: 40_900,
  },
]

for (const { name, code, maxFirst, maxBytes } of bundles) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['react'],
    outdir: 'out',
    write: false,
    metafile: true,
  })
  const sizes = new Map(
    outputFiles.map(({ path, contents }) => [
      path.slice(root.length),
      gzipSync(contents, { level: 9 }).length,
    ]),
  )
  const first = new Set()
  const add = (path) => {
    if (first.has(path)) return
    first.add(path)
    for (const { path: next, kind } of metafile.outputs[path].imports) {
      if (kind === 'import-statement' && metafile.outputs[next]) add(next)
    }
  }
  add('out/stdin.js')
  const sum = (paths) => [...paths].reduce((total, path) => total + sizes.get(path), 0)
  const firstBytes = sum(first)
  const allBytes = sum(sizes.keys())
  const parts = Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput]))
    .sort(([, a], [, b]) => b - a)
  for (const [path, size] of parts.slice(0, LISTED)) console.log(String(size).padStart(7), path)
  console.log(
    `${name}: ${firstBytes} bytes minified and gzipped at first, at most ${maxFirst}; ${allBytes} in all, at most ${maxBytes}`,
  )
  if (firstBytes > maxFirst || allBytes > maxBytes) process.exitCode = 1
}
