/**
 * Compact: shortens the programs that the package ships, by a third.
 *
 * Those of the server keep their names, so that a stack trace names functions, and lines end after about 120
 * characters, so that a position in a program is a short line and not a whole file. What browsers load has
 * short names inside its files: the build of a page shortens them anyway. Declarations stay as they are.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'

const FOR_BROWSERS = ['dist/client', 'dist/protocol']

/** Rewrites every `.js` below the folders of `dist/` that package.json lists. */
export function compactPrograms(root) {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const folder of files.filter((path) => path.startsWith('dist/'))) {
    for (const name of readdirSync(join(root, folder), { recursive: true })) {
      if (name.endsWith('.js')) compact(join(root, folder, name), FOR_BROWSERS.includes(folder))
    }
  }
}

function compact(path, isForBrowsers) {
  const { code } = transformSync(readFileSync(path, 'utf8'), {
    minifyWhitespace: true,
    minifySyntax: true,
    minifyIdentifiers: isForBrowsers,
    lineLimit: 120,
    charset: 'utf8',
    target: 'esnext',
    sourcefile: path,
  })
  writeFileSync(path, code)
}
