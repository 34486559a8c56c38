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

/**
 * Copies what the page `/swagger` needs of Swagger UI, with its license: users install two files
 * instead of a package that reports its installation.
 */
export function copySwaggerUi(root) {
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE']) {
    cpSync(join(root, 'node_modules/swagger-ui-dist', name), join(root, 'dist/server/http/swagger-ui', name))
  }
}
