/**
 * Assets: what the built programs read from disk beside their own code (SQL, pages).
 * They keep their place, so that `new URL('./schema/', import.meta.url)` finds them in both trees.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'

const folders = ['engine', 'server']
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
 * Copies what the page `/swagger` needs of Swagger UI, with its license: users install two files instead
 * of a package that reports its installation. Compressed by Brotli, 110 KB less than by gzip.
 */
export function copySwaggerUi(root) {
  const source = join(root, 'node_modules/swagger-ui-dist')
  const target = join(root, 'dist/server/http/swagger-ui')
  mkdirSync(target, { recursive: true })
  for (const name of ['LICENSE', 'NOTICE']) cpSync(join(source, name), join(target, name))
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
    writeFileSync(join(target, `${name}.br`), brotliCompressSync(readFileSync(join(source, name))))
  }
}
