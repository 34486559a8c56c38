import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // One process a file: native addons (SQLite, uWebSockets.js) want a main thread of their own
    // and must be gone with the file that loaded them.
    pool: 'forks',
    // System tests start servers and wait for conditions; the limit is for what hangs, not for speed.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    restoreMocks: true,
    passWithNoTests: false,
  },
})
