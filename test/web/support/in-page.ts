/**
 * Code in a page: bundles modules of the client and evaluates them in a page of a server, so that a test runs
 * them in a real browser without an interface around.
 */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Makes the exports of the given source the global `lib` of the page. */
export async function load(page: Page, source: string): Promise<void> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'iife',
    globalName: 'lib',
    platform: 'browser',
    write: false,
  })
  await page.evaluate(`${outputFiles[0]?.text}\nwindow.lib = lib`)
}
