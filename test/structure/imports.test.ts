import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { circleIn, type Import, importsIn, importsOf, sourcesOf } from './source-imports.ts'

/** The folders that each folder may import. Folders that are not listed may import all. */
const mayImport = {
  protocol: [],
  engine: ['protocol'],
  server: ['engine', 'protocol'],
  client: ['protocol'],
  web: ['client', 'protocol'],
  testing: ['engine', 'client', 'protocol'],
} as const satisfies Record<string, readonly string[]>

/**
 * The floors of engine/ from bottom to top, with the folders that each may import, types included. The
 * files of engine/ itself are above all of them.
 */
const engineMayImport = {
  base: [],
  text: [],
  threads: ['base'],
  stored: ['base', 'text'],
  actors: ['base', 'text', 'stored'],
  log: ['stored'],
  files: ['base', 'threads', 'stored', 'actors'],
  storage: ['base', 'threads', 'text', 'stored', 'log', 'files'],
  search: ['base', 'threads', 'text', 'stored', 'log', 'storage'],
  shards: ['base', 'threads', 'stored', 'actors', 'log'],
  hooks: ['base', 'threads', 'actors', 'shards'],
  hub: ['base', 'threads', 'actors', 'shards', 'hooks'],
  runtime: [
    'base',
    'threads',
    'stored',
    'actors',
    'log',
    'files',
    'storage',
    'search',
    'shards',
    'hooks',
    'hub',
  ],
} as const satisfies Record<string, readonly string[]>

const floors = Object.keys(mayImport) as (keyof typeof mayImport)[]
const engineFloors = Object.keys(engineMayImport) as (keyof typeof engineMayImport)[]
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

/** The folder of engine/ in which a path lies; the empty string for files of engine/ itself. */
const engineFolderOf = (path: string) => /^engine\/([^/]+)\//.exec(path)?.[1] ?? ''
const inEngine = imports.filter(({ from, to }) => folderOf(from) === 'engine' && folderOf(to) === 'engine')

describe.each(engineFloors)('engine/%s/', (folder) => {
  it(`imports nothing else of engine/ but ${engineMayImport[folder].join(', ') || 'itself'}, types included`, () => {
    expect(sourcesOf(`engine/${folder}`)).not.toEqual([])
    const allowed: readonly string[] = [folder, ...engineMayImport[folder]]
    const own = inEngine.filter(({ from }) => engineFolderOf(from) === folder)
    expect(own.filter(({ to }) => !allowed.includes(engineFolderOf(to)))).toEqual([])
  })

  it('is restricted likewise in biome.json, which names what editors may not import', () => {
    const barred = engineFloors
      .filter((other) => other !== folder && !(engineMayImport[folder] as readonly string[]).includes(other))
      .map((other) => `**/${other}/**`)
    expect(restrictedIn(`engine/${folder}/**`).sort()).toEqual(barred.sort())
  })
})

describe('the folders of engine/', () => {
  it('have a floor each', () => {
    const found = sourcesOf('engine').map(engineFolderOf)
    expect([...new Set(found)].filter((folder) => folder !== '').sort()).toEqual([...engineFloors].sort())
  })

  it('do not import each other in circles, folders within folders included', () => {
    const folderEdges = inEngine
      .map(({ from, to }) => ({ from: dirname(from), to: dirname(to), typeOnly: false }))
      .filter(({ from, to }) => from !== to)
    expect(circleIn(folderEdges)).toBeNull()
  })

  it('may import lower floors only', () => {
    for (const [floor, folder] of engineFloors.entries()) {
      for (const lower of engineMayImport[folder]) expect(engineFloors.slice(0, floor)).toContain(lower)
    }
  })
})

describe.each(['protocol', 'client', 'web'])('%s/', (folder) => {
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

/** The folders of engine/ that biome.json bars for these files. @throws where it has no rule for them */
function restrictedIn(files: string): string[] {
  const { overrides } = JSON.parse(readFileSync(new URL('../../biome.json', import.meta.url), 'utf8')) as {
    readonly overrides: readonly {
      readonly includes: readonly string[]
      readonly linter: {
        readonly rules: {
          readonly style?: {
            readonly noRestrictedImports?: {
              readonly options: { readonly patterns: readonly { readonly group: readonly string[] }[] }
            }
          }
        }
      }
    }[]
  }
  const override = overrides.find(({ includes }) => includes.includes(files))
  const patterns = override?.linter.rules.style?.noRestrictedImports?.options.patterns
  if (!patterns) throw new Error(`biome.json has no noRestrictedImports for ${files}`)
  return patterns
    .flatMap(({ group }) => group)
    .filter((path) => engineFloors.some((one) => path === `**/${one}/**`))
}
