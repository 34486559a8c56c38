/**
 * Build of the pages: `web/` to `dist/web/`, with hashed assets, compressed, and `files.json`, the list of
 * what the server serves.
 *
 * Every `index.html` is a page of its own at the path of its folder. `mount.js` and `sw.js` have
 * fixed names: other pages import the first, browsers check the second for updates.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
// @ts-expect-error The script is plain JavaScript, which Node 20 runs without a build.
import { emojiData } from './scripts/emoji-data.mjs'
// @ts-expect-error As above.
import { webFiles } from './scripts/web-files.mjs'

const path = (name: string) => fileURLToPath(new URL(`./web/${name}`, import.meta.url))
const pages = {
  page: path('index.html'),
  admin: path('admin/index.html'),
  asyncapi: path('asyncapi/index.html'),
}

export default defineConfig({
  root: path(''),
  // Relative, for a proxy with a path prefix, and for pages of other origins that import `mount.js`.
  base: './',
  publicDir: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('./dist/web', import.meta.url)),
    emptyOutDir: false,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: {
        ...Object.fromEntries(Object.entries(pages).filter(([, file]) => existsSync(file))),
        mount: path('mount.ts'),
        sw: path('worker/sw.ts'),
      },
      checks: { pluginTimings: false },
      preserveEntrySignatures: 'exports-only',
      output: {
        entryFileNames: ({ name }) => (name === 'mount' || name === 'sw' ? '[name].js' : 'assets/[hash].js'),
        chunkFileNames: 'assets/[hash].js',
        assetFileNames: 'assets/[hash][extname]',
      },
    },
  },
  plugins: [emojiData(), webFiles()],
})
