/**
 * Web files: a plugin of the build of the pages. Compresses each file by Brotli where that makes it a tenth smaller, puts
 * the list of files that a page needs offline into the service worker, and writes `files.json`.
 *
 * `files.json` is the list of the server: for each path the file, its type and encoding, an ETag, and
 * whether the name changes with the content. The server serves nothing that is not in it.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'

const staticFolder = fileURLToPath(new URL('../web/static', import.meta.url))
/** The place of the list in the service worker. */
const SHELL_FILES = /(["'`])%SHELL_FILES%\1/
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
}

/** The plugin. Nothing is left for Vite to write. */
export function webFiles() {
  let outDir
  return {
    name: 'web-files',
    enforce: 'post',
    configResolved(config) {
      outDir = config.build.outDir
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const files = new Map(
          readdirSync(staticFolder).map((name) => [name, readFileSync(join(staticFolder, name))]),
        )
        const shell = new Set(['./', ...files.keys()])
        for (const [name, output] of Object.entries(bundle)) {
          files.set(name, Buffer.from(output.type === 'chunk' ? output.code : output.source))
          delete bundle[name]
          if (name.startsWith('assets/') && !isLeftOut(output)) shell.add(name)
        }
        const worker = files.get('sw.js')
        if (worker) files.set('sw.js', Buffer.from(withShellFiles(worker.toString(), files, [...shell])))
        write(outDir, files)
      },
    },
  }
}

/** Whether a file is not stored for a start offline: of the dashboard, or large and stored when it is used. */
function isLeftOut(output) {
  const sources = output.type === 'chunk' ? output.moduleIds : output.originalFileNames
  return sources.some((id) => /\bweb\/(admin|asyncapi)\/|\/uplot\/|virtual:emoji/.test(id))
}

/** The paths, and a hash of their contents, which makes the worker change with any of them. */
function withShellFiles(code, files, paths) {
  const contents = paths.map((path) => files.get(path === './' ? 'index.html' : path) ?? '')
  const version = hashOf(Buffer.concat(contents.map((content) => Buffer.from(content))))
  if (!SHELL_FILES.test(code)) throw new Error(`sw.js has no place for its files: ${SHELL_FILES}`)
  return code.replace(SHELL_FILES, () => JSON.stringify(JSON.stringify({ version, paths })))
}

function write(outDir, files) {
  const list = []
  for (const [name, given] of files) {
    const content = name.endsWith('/index.html') ? besideTheOthers(given) : given
    const compressed = brotliCompressSync(content)
    const isSmaller = compressed.length < 0.9 * content.length
    const file = isSmaller ? `${name}.br` : name
    mkdirSync(dirname(join(outDir, file)), { recursive: true })
    writeFileSync(join(outDir, file), isSmaller ? compressed : content)
    list.push({
      path: `/${name.replace(/\/?index\.html$/, '')}`,
      file,
      type: types[extname(name)] ?? 'application/octet-stream',
      ...(isSmaller && { isCompressed: true }),
      etag: `"${hashOf(content)}"`,
      ...(name.startsWith('assets/') && { isImmutable: true }),
    })
  }
  list.sort((a, b) => (a.path < b.path ? -1 : 1))
  writeFileSync(join(outDir, 'files.json'), `[\n${list.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`)
}

/** A page in a folder has the path of the folder without a slash at its end: its links begin one folder higher. */
function besideTheOthers(page) {
  return Buffer.from(page.toString().replaceAll('="../', '="./'))
}

function hashOf(content) {
  return createHash('sha256').update(content).digest('base64url').slice(0, 16)
}
