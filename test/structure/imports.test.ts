import { describe, expect, it } from 'vitest'
import { type Import, importsIn, importsOf, sourcesOf } from './source-imports.ts'

/** The folders that each folder may import. Folders that are not listed may import all. */
const mayImport = {
  protocol: [],
  engine: ['protocol'],
  server: ['engine', 'protocol'],
  client: ['protocol'],
} as const satisfies Record<string, readonly string[]>

const floors = Object.keys(mayImport) as (keyof typeof mayImport)[]
const folders = [...floors, 'bench', 'examples', 'scripts', 'test']
const imports = folders.flatMap((folder) => sourcesOf(folder).flatMap(importsOf))
const folderOf = (path: string) => path.split('/')[0] ?? path

describe.each(floors)('%s/', (folder) => {
  const own = imports.filter(({ from }) => folderOf(from) === folder)

  it(`imports nothing of this repository but ${mayImport[folder].join(' and ') || 'itself'}`, () => {
    const allowed: readonly string[] = [folder, ...mayImport[folder]]
    const wrong = own.filter(({ to }) => folders.includes(folderOf(to)) && !allowed.includes(folderOf(to)))
    expect(wrong).toEqual([])
    expect(own.filter(({ to }) => to.startsWith('..') || /^tertulia(\/|$)/.test(to))).toEqual([])
  })
})

describe.each(['protocol', 'client'])('%s/', (folder) => {
  it('runs in a browser: it imports nothing of Node', () => {
    const wrong = imports.filter(({ from, to }) => folderOf(from) === folder && to.startsWith('node:'))
    expect(wrong).toEqual([])
  })
})

describe('uWebSockets.js', () => {
  it('is imported by server/ and the benchmarks only: it aborts a process that loads it in a worker', () => {
    const users = imports.filter(({ to, typeOnly }) => to === 'uWebSockets.js' && !typeOnly)
    for (const { from } of users) expect(['server', 'bench', 'test']).toContain(folderOf(from))
  })
})

describe('the sources', () => {
  it('have no import cycle', () => {
    expect(circleIn(imports.filter(({ typeOnly }) => !typeOnly))).toBeNull()
  })

  it('are read by this test', () => {
    expect(
      imports.filter(({ from, to }) => from === 'protocol/codec.ts' && to === 'protocol/errors.ts'),
    ).toHaveLength(1)
    expect(sourcesOf('protocol').length).toBeGreaterThan(10)
    expect(() => sourcesOf('no-such-folder')).toThrow('no-such-folder')
  })
})

describe('this test', () => {
  it('sees every form of import', () => {
    const source = [
      "import { a } from './a.ts'",
      "import type { B } from './b.ts'",
      "import { type C } from './c.ts'",
      "import {\n  d,\n  type D,\n} from './d.ts'",
      "export { e } from './sub/e.ts'",
      "export * from '../client/f.ts'",
      "import './g.ts'",
      "// import './comment.ts'",
      "const h = await import('./h.ts')",
      "new Worker(new URL('./i.js', import.meta.url))",
      "import fs from 'node:fs'",
      "import * as v from 'valibot'",
    ].join('\n')
    const seen = importsIn(source, 'engine/x.ts').map(({ to, typeOnly }) => (typeOnly ? `type ${to}` : to))
    expect(seen.sort()).toEqual(
      [
        'engine/a.ts',
        'type engine/b.ts',
        'type engine/c.ts',
        'engine/d.ts',
        'engine/sub/e.ts',
        'client/f.ts',
        'engine/g.ts',
        'engine/h.ts',
        'engine/i.ts',
        'node:fs',
        'valibot',
      ].sort(),
    )
  })

  it('finds a cycle, and none if there is none', () => {
    const edge = (from: string, to: string): Import => ({ from, to, typeOnly: false })
    expect(circleIn([edge('a', 'b'), edge('b', 'c'), edge('a', 'c')])).toBeNull()
    expect(circleIn([edge('x', 'a'), edge('a', 'b'), edge('b', 'c'), edge('c', 'a')])).toEqual([
      'a',
      'b',
      'c',
      'a',
    ])
  })
})

/** The first cycle among the imports, as a path, or null. */
function circleIn(edges: readonly Import[]): readonly string[] | null {
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
