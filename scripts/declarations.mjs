/**
 * Declarations: removes the types of internal files from `dist/`. What a user's program may import,
 * the entry points of package.json, and what their types refer to stays, indented by tabs: four spaces
 * each would be 25 KB of the package. Comments stay in the entry points and the files that they export
 * from; nobody sees those of the others, 60 KB.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, normalize } from 'node:path'

const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]/g
const INDENT = /^(?: {4})+/gm
const COMMENT = /\/\*\*[\s\S]*?\*\/\s*/g

/** Removes every `.d.ts` below `root/dist` that no entry point reaches. */
export function pruneDeclarations(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const reached = new Set()
  const entries = Object.values(exports).flatMap(({ types }) => (types ? [join(root, types)] : []))
  const open = [...entries]
  const shown = new Set(entries.flatMap((path) => [path, ...importsOf(path, readFileSync(path, 'utf8'))]))
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    const text = readFileSync(path, 'utf8')
    const seen = shown.has(path) ? text : text.replace(COMMENT, '')
    writeFileSync(
      path,
      seen.replace(INDENT, (spaces) => '\t'.repeat(spaces.length / 4)),
    )
    open.push(...importsOf(path, text))
  }
  for (const name of readdirSync(join(root, 'dist'), { recursive: true })) {
    const path = join(root, 'dist', name)
    if (path.endsWith('.d.ts') && !reached.has(path)) rmSync(path)
  }
}

/** The declarations that a file imports from. */
function importsOf(path, text) {
  return [...text.matchAll(RELATIVE_IMPORT)].map(([, target]) =>
    normalize(join(path, '..', target.replace(/\.[jt]s$/, '.d.ts'))),
  )
}
