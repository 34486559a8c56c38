/**
 * Declarations: removes the types of internal files from `dist/`. What a user's program may import,
 * the entry points of package.json, and what their types refer to stays, indented by tabs: four spaces
 * each would be 25 KB of the package.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, normalize } from 'node:path'

const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+)['"]/g
const INDENT = /^(?: {4})+/gm

/** Removes every `.d.ts` below `root/dist` that no entry point reaches. */
export function pruneDeclarations(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const reached = new Set()
  const open = Object.values(exports).flatMap(({ types }) => (types ? [join(root, types)] : []))
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    const text = readFileSync(path, 'utf8')
    writeFileSync(
      path,
      text.replace(INDENT, (spaces) => '\t'.repeat(spaces.length / 4)),
    )
    for (const [, target] of text.matchAll(RELATIVE_IMPORT)) {
      open.push(normalize(join(path, '..', target.replace(/\.[jt]s$/, '.d.ts'))))
    }
  }
  for (const name of readdirSync(join(root, 'dist'), { recursive: true })) {
    const path = join(root, 'dist', name)
    if (path.endsWith('.d.ts') && !reached.has(path)) rmSync(path)
  }
}
