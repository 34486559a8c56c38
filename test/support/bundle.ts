/**
 * Bundle: the built programs with one file for each process and thread, so that tests start them in half
 * of the processor time. Code and assets are those of `dist/`; only the number of modules differs.
 * `dist/` itself, as it is published, runs in the tests of the command line, the examples and the package.
 *
 * The engines in the process of a test run on threads that are used again (`thread-pool.ts`); servers are
 * processes and start their own. Vitest calls `setup` before the first test. A build removes `dist/` and the
 * bundle with it.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type BuildOptions, build, type Plugin } from 'esbuild'

const support = fileURLToPath(new URL('.', import.meta.url))
const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const target = join(dist, 'bundle')
/** Its content is the path of the bundle, which is also in its code. */
const placeFile = 'place.txt'
const folders = ['engine', 'server']
const threads = ['shard', 'writer', 'reader', 'copier', 'search', 'file'].map(
  (name) => `engine/runtime/${name}-thread.js`,
)
const parserThread = 'server/import/parser-thread.js'
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

/** The built server, which a test starts as a process. */
export const serverMain = join(target, 'server/main.js')

/** The built modules for the process of a test. Their threads are those of the pool. */
export const builtModules = {
  engine: join(target, 'pooled/engine.js'),
  server: join(target, 'pooled/server.js'),
  startStorage: join(target, 'pooled/start-storage.js'),
}

export async function setup(): Promise<void> {
  if (existsSync(target)) {
    if (readFileSync(join(target, placeFile), 'utf8') === target) return
    // The folder of the project was moved.
    rmSync(target, { recursive: true })
  }
  // Renamed when it is complete: another run may do the same at this moment.
  const outdir = mkdtempSync(join(dist, 'bundle-'))
  for (const folder of folders) {
    const isAsset = (path: string) => !/\.(js|d\.ts)$/.test(path)
    cpSync(join(dist, folder), join(outdir, folder), { recursive: true, filter: isAsset })
  }
  // The pages, scripts included: the server sends them.
  cpSync(join(dist, 'web'), join(outdir, 'web'), { recursive: true })
  const common: BuildOptions = {
    absWorkingDir: dist,
    bundle: true,
    platform: 'node',
    external,
    logLevel: 'error',
  }
  const esm: BuildOptions = {
    ...common,
    format: 'esm',
    // For the packages in CommonJS.
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
  }
  const pooled = { outdir: join(outdir, 'pooled') }
  const cjs = { ...common, ...pooled, format: 'cjs', outExtension: { '.js': '.cjs' } } as const
  await Promise.all([
    build({
      ...esm,
      entryPoints: ['server/main.js', parserThread, ...threads],
      outbase: dist,
      outdir,
      plugins: [inPlace],
    }),
    build({
      ...esm,
      ...pooled,
      entryPoints: {
        engine: 'engine/index.js',
        server: 'server/index.js',
        'start-storage': 'engine/runtime/start-storage.js',
      },
      chunkNames: '[name]-[hash]',
      splitting: true,
      plugins: [poolThreads, inPlace],
    }),
    build({ ...cjs, entryPoints: threads, entryNames: '[name]', plugins: [ofRun, inPlace] }),
    build({ ...cjs, entryPoints: [join(support, 'pooled-thread.ts')] }),
  ])
  writeFileSync(join(outdir, placeFile), target)
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
      const url = JSON.stringify(pathToFileURL(join(target, relative(dist, path))).href)
      // The lines of built programs end anywhere between two tokens.
      return { contents: readFileSync(path, 'utf8').replaceAll(/import\.\s*meta\.\s*url/g, url) }
    })
  },
}

/** Takes threads from the pool, one pool for all modules of a process. */
const poolThreads: Plugin = {
  name: 'pool threads',
  setup({ onResolve }) {
    onResolve({ filter: /\/start-thread\.js$/ }, () => ({ path: join(support, 'thread-pool.ts') }))
  },
}

/** Gives a thread the data and the port of its run. */
const ofRun: Plugin = {
  name: 'of a run',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:worker_threads$/ }, ({ path, namespace }) =>
      namespace === 'run' ? { path, external: true } : { path, namespace: 'run' },
    )
    onLoad({ filter: /.*/, namespace: 'run' }, () => ({
      contents: `export { MessageChannel } from 'node:worker_threads'
        export const { workerData, parentPort } = threadRun`,
    }))
  },
}
