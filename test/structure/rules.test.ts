import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const spec = readFileSync(join(root, 'docs/SPEC.md'), 'utf8')
const [built = '', planned = ''] = spec.split('\n## 8. Planned\n')
const defined = (text: string) =>
  [...text.matchAll(/^- \*\*([A-Z]{3}-\d+)\*\*/gm)].map(([, id]) => id as string)
const rules = defined(built)
const plannedRules = defined(planned)
const prefixes = new Set([...rules, ...plannedRules].map((id) => id.slice(0, 3)))

/** The rules that the files of a folder cite, each with the files. */
function citedIn(...folders: string[]): Map<string, string[]> {
  const cited = new Map<string, string[]>()
  for (const folder of folders) {
    const start = join(root, folder)
    const names = statSync(start).isDirectory()
      ? readdirSync(start, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
      : [folder]
    for (const name of names.filter((name) => /\.(ts|mjs|md)$/.test(name) && name !== 'docs/SPEC.md')) {
      for (const [id] of readFileSync(join(root, name), 'utf8').matchAll(/\b[A-Z]{3}-\d+\b/g)) {
        if (!prefixes.has(id.slice(0, 3))) continue
        cited.set(id, [...(cited.get(id) ?? []), name])
      }
    }
  }
  return cited
}

it('defines each rule once', () => {
  expect(rules.length).toBeGreaterThan(40)
  expect(new Set([...rules, ...plannedRules]).size).toBe(rules.length + plannedRules.length)
})

it('defines every rule that code, tests and documents cite', () => {
  const cited = citedIn(
    'protocol',
    'engine',
    'server',
    'client',
    'scripts',
    'bench',
    'test',
    'docs',
    'README.md',
  )
  expect(cited.size).toBeGreaterThan(30)
  const unknown = [...cited].filter(([id]) => !rules.includes(id) && !plannedRules.includes(id))
  expect(unknown).toEqual([])
})

it('has a test that cites each rule that is built', () => {
  const cited = citedIn('test')
  expect(rules.filter((id) => !cited.has(id))).toEqual([])
})
