/**
 * Client size: what a page downloads of `tertulia/client`, and of it with the store, its cache and the binding
 * for React; bundled, minified and compressed. Three sums, each with the one before:
 *
 * - first: what shows the cached state. The store loads the client beside it.
 * - connected: what every page loads to connect too.
 * - in all: also what a page loads when it is used for the first time, such as the code for uploads.
 *
 * `ws` is not part of it: only Node loads it.
 *
 *   node scripts/check-client-size.mjs       exit code 1 above a limit; lists the largest files
 */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const LISTED = 10
const root = fileURLToPath(new URL('..', import.meta.url))
/** What is imported by a page that connects, and not before. */
const connecting = 'client/store/store-client.ts'
const bundles = [
  {
    name: 'tertulia/client',
    code: "export * from './client/index.ts'",
    max: { first: 13_900, connected: 13_900, 'in all': 14_600 },
  },
  {
    name: 'tertulia/store and tertulia/react',
    code: "export * from './client/store/index.ts'; export * from './client/adapters/react.ts'",
    max: { first: 26_600, connected: 39_400, 'in all': 40_100 },
  },
]

for (const { name, code, max } of bundles) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['react', 'ws'],
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
  const loaded = new Set()
  const load = (path) => {
    if (loaded.has(path)) return
    loaded.add(path)
    for (const { path: next, kind } of metafile.outputs[path].imports) {
      if (kind === 'import-statement' && metafile.outputs[next]) load(next)
    }
  }
  const sum = (paths) => [...paths].reduce((total, path) => total + sizes.get(path), 0)
  const bytes = {}
  load('out/stdin.js')
  bytes.first = sum(loaded)
  const [connection] = Object.entries(metafile.outputs).find(([, one]) => one.entryPoint === connecting) ?? []
  if (connection) load(connection)
  bytes.connected = sum(loaded)
  bytes['in all'] = sum(sizes.keys())
  const parts = Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput]))
    .sort(([, a], [, b]) => b - a)
  for (const [path, size] of parts.slice(0, LISTED)) console.log(String(size).padStart(7), path)
  console.log(`${name}, minified and gzipped:`)
  for (const [what, size] of Object.entries(bytes)) {
    console.log(`${String(size).padStart(7)} ${what}, at most ${max[what]}`)
    if (size > max[what]) process.exitCode = 1
  }
}
