/**
 * Assets: what the built programs read from disk beside their own code (SQL, pages).
 * They keep their place, so that `new URL('./schema/', import.meta.url)` finds them in both trees.
 */
import { cpSync, existsSync, readdirSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'

const folders = ['engine', 'server', 'web']
const extensions = new Set(['.sql', '.html', '.css', '.svg'])

/** Copies every asset below `root` to the same place below `root/dist`. */
export function copyAssets(root) {
  for (const folder of folders) {
    const source = join(root, folder)
    if (!existsSync(source)) continue
    cpSync(source, join(root, 'dist', folder), {
      recursive: true,
      filter: (path) => (statSync(path).isDirectory() ? holdsAsset(path) : extensions.has(extname(path))),
    })
  }
}

function holdsAsset(folder) {
  return readdirSync(folder, { recursive: true }).some((path) => extensions.has(extname(path)))
}
