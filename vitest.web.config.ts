/**
 * Tests in a browser: `npm run test:web`. They start real servers and one Chromium for each file.
 */
import { existsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { chromiumPath } from './test/web/support/chromium.ts'

if (!existsSync(chromiumPath)) {
  process.stderr.write(
    `test:web needs Chromium, which is not at ${chromiumPath}: install it (on Debian the package chromium, ` +
      'elsewhere Chrome or Chromium) and set CHROMIUM to its path\n',
  )
  process.exit(1)
}

export default defineConfig({
  test: {
    include: ['test/web/**/*.test.ts'],
    globalSetup: ['test/support/bundle.ts'],
    pool: 'forks',
    // Each browser uses a core by itself.
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    expect: { poll: { timeout: 40_000 } },
    retry: process.env['CI'] ? 1 : 0,
    restoreMocks: true,
  },
})
