import { existsSync, statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { SlowFirst } from './test/support/slow-first.ts'

// `TERTULIA_TEST_TRANSPORT=node npx vitest run` runs every server on the built-in transport.
const withoutUws =
  process.env['TERTULIA_TEST_TRANSPORT'] === 'node'
    ? ['--import', fileURLToPath(new URL('test/support/without-uws.mjs', import.meta.url))]
    : []

// Every engine waits for the disk about ten times until it has started. In memory its files are as real,
// and no test waits for what other programs write. Not in a container that allows little of it.
const memory = '/dev/shm'
const MIN_FREE_BYTES = 4 * 2 ** 30
if (process.env['TMPDIR'] === undefined && existsSync(memory)) {
  const { bavail, bsize } = statfsSync(memory)
  if (bavail * bsize >= MIN_FREE_BYTES) process.env['TMPDIR'] = memory
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // In a browser: vitest.web.config.ts.
    exclude: ['test/web/**'],
    globalSetup: ['test/support/bundle.ts'],
    setupFiles: ['test/support/fixed-seed.ts'],
    // Processes, because native addons (SQLite, uWebSockets.js) need a main thread. Each runs many files:
    // loading the modules again for every file would take as long as the tests. No file changes a module.
    pool: 'forks',
    isolate: false,
    sequence: { sequencer: SlowFirst },
    // Many tests wait for timers and for processes: three at a time, also on a machine of two cores.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    execArgv: withoutUws,
    // System tests start servers and wait for conditions; the limit is for what hangs, not for
    // speed, also on a machine that is busy with other things.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    // The same for a condition that a test waits for: the default of a second is less than a busy machine pauses.
    expect: { poll: { timeout: 30_000 } },
    // In CI a test may be repeated once: a shared machine may pause for longer than a protocol's own time limit.
    retry: process.env['CI'] ? 1 : 0,
    restoreMocks: true,
    unstubGlobals: true,
    passWithNoTests: false,
  },
})
