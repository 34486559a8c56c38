import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { version } from '../../engine/version.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Manifest {
  readonly version: string
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>>
  readonly bin: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Manifest
const sourceOf = (built: string) => built.replace(/^(\.\/)?dist\//, '').replace(/(\.d\.ts|\.js)$/, '.ts')

describe('package.json', () => {
  it('has the version that the server reports', () => {
    expect(version).toBe(manifest.version)
  })

  it('exports what is built from sources that exist, with the types of the same source', () => {
    for (const target of Object.values(manifest.exports)) {
      if (typeof target === 'string') continue
      expect(sourceOf(target.types)).toBe(sourceOf(target.default))
      expect([target.default, existsSync(`${root}/${sourceOf(target.default)}`)]).toEqual([
        target.default,
        true,
      ])
    }
    for (const built of Object.values(manifest.bin)) {
      expect(readFileSync(`${root}/${sourceOf(built)}`, 'utf8')).toMatch(
        /^#!\/usr\/bin\/env (-S )?node\b.*\n/,
      )
    }
  })

  it('builds commands that are executable', () => {
    // npm sets the mode when it links a command; a build after that must not undo it.
    for (const built of Object.values(manifest.bin)) {
      expect(readFileSync(`${root}/scripts/build.mjs`, 'utf8')).toContain(
        `chmodSync(\`\${root}/${built}\`, 0o755)`,
      )
    }
  })

  it('passes Node the same arguments in `npm start`, in the command and in the bench', () => {
    const start = /^node (?<args>.*) dist\/server\/main\.js serve$/.exec(manifest.scripts['start'] ?? '')
    const args = (start?.groups?.['args'] ?? '').split(' ')
    expect(args.length).toBeGreaterThan(1)

    const [firstLine] = readFileSync(`${root}/server/main.ts`, 'utf8').split('\n')
    expect(firstLine).toBe(`#!/usr/bin/env -S node ${args.join(' ')}`)

    const quoted = args.map((arg) => `'${arg}'`).join(', ')
    expect(readFileSync(`${root}/bench/children.ts`, 'utf8')).toContain(`START_ARGS = [${quoted}]`)
  })

  it('publishes every folder that it exports from', () => {
    const targets = Object.values(manifest.exports).map((target) =>
      typeof target === 'string' ? '' : target.default,
    )
    for (const target of targets.filter((path) => path.startsWith('./dist'))) {
      expect(manifest.files.some((folder) => target.startsWith(`./${folder}/`))).toBe(true)
    }
  })

  it('has a row in the README for each dependency, and why', () => {
    const readme = readFileSync(`${root}/README.md`, 'utf8')
    for (const name of Object.keys(manifest.dependencies)) expect(readme).toMatch(`| [${name}](`)
  })
})
