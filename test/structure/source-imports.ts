/**
 * Imports of the sources, read with a plain parse: who imports what, and whether at run time.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Import {
  /** The importing file, from the root of the repository: `engine/engine.ts`. */
  readonly from: string
  /** What is imported: such a path again for a file of this repository, else the specifier. */
  readonly to: string
  /** Types only: the compiler removes the import. */
  readonly typeOnly: boolean
}

/** The sources of a folder and all below it, from the root of the repository. @throws where it has none */
export function sourcesOf(folder: string): readonly string[] {
  const sources = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(tsx?|mjs)$/.test(path))
    .map((path) => join(folder, path))
    .sort()
  // A rule over no files could not fail.
  if (sources.length === 0) throw new Error(`${folder}/ has no sources`)
  return sources
}

/** Reads the imports, re-exports, dynamic imports and worker files of one source. */
export function importsOf(from: string): readonly Import[] {
  return importsIn(readFileSync(join(root, from), 'utf8'), from)
}

/** The same for a text that stands at this path. */
export function importsIn(source: string, from: string): readonly Import[] {
  const code = source.replace(/\/\*.*?\*\//gs, '').replace(/^\s*\/\/.*$/gm, '')
  const found: Import[] = []
  const add = (specifier: string, typeOnly: boolean) =>
    found.push({ from, to: resolve(from, specifier), typeOnly })
  for (const [, keyword = '', names = '', specifier = ''] of code.matchAll(
    /^(import|export)\s+(?:([\w\s{},*$]+?)\s+from\s+)?['"]([^'"]+)['"]/gm,
  )) {
    const listed = /^\{(.*)\}$/s
      .exec(names)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '')
    const onlyTypes = listed?.every((name) => /^\s*type\s/.test(name)) && keyword === 'import'
    add(specifier, /^type\s/.test(names) || onlyTypes === true)
  }
  for (const [, specifier = ''] of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) add(specifier, false)
  for (const [, specifier = ''] of code.matchAll(
    /new URL\(\s*['"](\.[^'"]+\.[tj]s)['"],\s*import\.meta\.url/g,
  )) {
    add(specifier.replace(/\.js$/, '.ts'), false)
  }
  return found
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(root, join(root, dirname(from), specifier)) : specifier
}

/** The first cycle among the imports, as a path, or null. */
export function circleIn(edges: readonly Import[]): readonly string[] | null {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to))
  const done = new Set<string>()
  const visit = (node: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return null
    for (const to of next.get(node) ?? []) {
      const circle = visit(to, [...path, node])
      if (circle) return circle
    }
    done.add(node)
    return null
  }
  for (const node of next.keys()) {
    const circle = visit(node, [])
    if (circle) return circle
  }
  return null
}
