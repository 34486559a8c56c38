/**
 * Bundle: the built programs with one file for each process and thread, so that tests start them in half
 * of the processor time. Code and assets are those of `dist/`; only the number of modules differs.
 * `dist/` itself, as it is published, runs in the tests of the command line, the examples and the package.
 *
 * Vitest calls `setup` before the first test. A build removes `dist/` and the bundle with it.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const target = join(dist, 'bundle')
const folders = ['engine', 'server']
const threads = ['shard', 'writer', 'reader', 'search', 'file'].map(
  (name) => `engine/runtime/${name}-thread.js`,
)
const entries = ['engine/index.js', 'server/main.js', ...threads]
/** Native code, packages that read files of their own, and what is loaded only when it is needed. */
const external = [
  'better-sqlite3',
  'uWebSockets.js',
  'ws',
  'pino',
  'prom-client',
  'hdr-histogram-js',
  'file-type',
]

/** The built file, bundled; `path` is one of the entries. */
export function bundled(path: 'engine/index.js' | 'server/main.js'): string {
  return join(target, path)
}

export async function setup(): Promise<void> {
  if (existsSync(target)) return
  // Renamed when it is complete: another run may do the same at this moment.
  const outdir = mkdtempSync(join(dist, 'bundle-'))
  for (const folder of folders) {
    const isAsset = (path: string) => !/\.(js|d\.ts)$/.test(path)
    cpSync(join(dist, folder), join(outdir, folder), { recursive: true, filter: isAsset })
  }
  cpSync(join(dist, 'web'), join(outdir, 'web'), { recursive: true })
  await build({
    absWorkingDir: dist,
    entryPoints: entries,
    outbase: dist,
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external,
    plugins: [inPlace],
    // For the packages in CommonJS.
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
    logLevel: 'error',
  })
  try {
    renameSync(outdir, target)
  } catch (error) {
    rmSync(outdir, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
}

/** Files find their assets and threads by their own address: that of their place in the bundle. */
const inPlace: Plugin = {
  name: 'in place',
  setup({ onLoad }) {
    onLoad({ filter: /\/dist\/(engine|server|protocol)\/.*\.js$/ }, ({ path }) => {
      // Computed where it runs: the folder may be moved.
      const url = `import.meta.url.replace(/\\/dist\\/bundle\\/.*/, '/dist/bundle/${relative(dist, path)}')`
      // The lines of built programs end anywhere between two tokens.
      return { contents: readFileSync(path, 'utf8').replaceAll(/import\.\s*meta\.\s*url/g, url) }
    })
  },
}
