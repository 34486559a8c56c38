import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders = ['protocol', 'engine', 'server', 'client', 'bench', 'examples', 'scripts', 'test', 'docs']

/** All files and folders of the repository, with `/` before each, and after each folder. */
const paths: readonly string[] = [
  ...readdirSync(root, { withFileTypes: true }).map((entry) => pathOf('', entry)),
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).map((entry) =>
      pathOf(entry.parentPath.slice(root.length), entry),
    ),
  ),
]

function pathOf(parent: string, entry: { readonly name: string; isDirectory(): boolean }): string {
  return `/${join(parent, entry.name)}${entry.isDirectory() ? '/' : ''}`.replaceAll('\\', '/')
}

const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** Source files, and folders of the repository, in backticks. A path may omit its first folders. */
function namedPaths(text: string): readonly string[] {
  const named = [...text.matchAll(/`([\w./-]+)`/g)].map(([, name]) => name as string)
  const top = new RegExp(`^(?:${folders.join('|')})/`)
  return named.filter((name) => /^[\w-][\w./-]*\.(?:ts|mjs|sql)$/.test(name) || top.test(name))
}

/** Targets of relative links, without their anchors. */
function linkedPaths(text: string): readonly string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string)
  return targets.filter((target) => !/^(?:[a-z]+:|#)/.test(target)).map((target) => target.replace(/#.*/, ''))
}

describe.each(documents)('%s', (document) => {
  const text = readFileSync(join(root, document), 'utf8')

  it('names only source files and folders that exist', () => {
    const missing = namedPaths(text).filter(
      (name) => !paths.some((path) => path.endsWith(`/${name}`) || path.endsWith(`/${name}/`)),
    )
    expect(missing).toEqual([])
  })

  it('links only to files that exist', () => {
    const missing = linkedPaths(text).filter((target) => {
      const path = normalize(`/${dirname(document)}/${target}`).replaceAll('\\', '/')
      return !paths.includes(path) && !paths.includes(`${path}/`)
    })
    expect(missing).toEqual([])
  })
})
