/**
 * Dev: the compiler, the build of the pages and the server, all watching. A change of a source restarts
 * the server. Ends all when one ends, or on a signal.
 */
import { execFileSync, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = `${root}/node_modules/typescript/bin/tsc`

// Once before watching: the server needs something to start from, and assets are copied here.
execFileSync(process.execPath, [`${root}/scripts/build.mjs`], { stdio: 'inherit' })

const children = [
  spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'], {
    cwd: root,
    stdio: 'inherit',
  }),
  spawn(
    process.execPath,
    [`${root}/node_modules/vite/bin/vite.js`, 'build', '--watch', '-c', 'vite.config.ts'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  ),
  spawn(
    process.execPath,
    [
      '--watch-path=dist',
      '--watch-preserve-output',
      'dist/server/main.js',
      'serve',
      ...process.argv.slice(2),
    ],
    {
      cwd: root,
      stdio: 'inherit',
    },
  ),
]

function stop() {
  for (const child of children) child.kill('SIGTERM')
}

for (const child of children) child.once('exit', stop)
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
