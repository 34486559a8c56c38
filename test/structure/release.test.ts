import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/engines.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const releaseScript = ['node', 'scripts/release.mjs'] as const

interface Manifest {
  readonly name: string
  readonly version: string
}

/** A repository of its own with this package's manifest, version 1.2.3, and a changelog. */
function aRepository(
  changelog = '# Changelog\n\n## Unreleased\n\n- **New**: something\n\n## 1.2.3\n\n- old\n',
) {
  const folder = temporaryFolder()
  const run = (command: string, ...args: readonly string[]) => {
    const env = {
      ...process.env,
      // Independent of the settings of the machine.
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_AUTHOR_NAME: 'Ana',
      GIT_AUTHOR_EMAIL: 'ana@example.org',
      GIT_COMMITTER_NAME: 'Ana',
      GIT_COMMITTER_EMAIL: 'ana@example.org',
    }
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', env })
    return { status, said: `${stdout}${stderr}`.trim() }
  }
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  mkdirSync(join(folder, 'scripts'))
  cpSync(join(root, 'scripts/release.mjs'), join(folder, 'scripts/release.mjs'))
  for (const name of ['package.json', 'package-lock.json']) {
    const own = readFileSync(join(root, name), 'utf8')
    const { version } = JSON.parse(own) as Manifest
    write(name, own.replaceAll(`"version": "${version}"`, '"version": "1.2.3"'))
  }
  write('CHANGELOG.md', changelog)
  run('git', 'init', '--quiet')
  run('git', 'add', '.')
  run('git', 'commit', '--quiet', '--message', 'Start')
  return { run, read, write, release: (...args: readonly string[]) => run(...releaseScript, ...args) }
}

describe('npm run release', () => {
  it.each([
    ['major', '2.0.0'],
    ['minor', '1.3.0'],
    ['patch', '1.2.4'],
    ['1.3.0-rc.1', '1.3.0-rc.1'],
  ])('%s sets the version, closes the section of the changelog, commits and tags: %s', (wanted, version) => {
    const { run, read, release } = aRepository()
    const before = read('package.json')
    expect(release(wanted)).toMatchObject({ status: 0 })
    // Nothing else of the manifest changes, its format included.
    expect(read('package.json')).toBe(before.replace('"version": "1.2.3"', `"version": "${version}"`))
    const lock = JSON.parse(read('package-lock.json')) as Manifest & { packages: { '': Manifest } }
    expect([lock.version, lock.packages[''].version]).toEqual([version, version])
    expect(read('CHANGELOG.md')).toBe(
      `# Changelog\n\n## Unreleased\n\n## ${version}\n\n- **New**: something\n\n## 1.2.3\n\n- old\n`,
    )
    expect(run('git', 'status', '--porcelain').said).toBe('')
    expect(run('git', 'log', '-1', '--format=%s').said).toBe(`Release ${version}`)
    expect(run('git', 'describe', '--exact-match').said).toBe(`v${version}`)
  })

  it('follows a pre-release with its release', () => {
    const { read, release, run, write } = aRepository()
    release('2.0.0-rc.1')
    write(
      'CHANGELOG.md',
      read('CHANGELOG.md').replace('## Unreleased\n', '## Unreleased\n\n- **Fixed**: it\n'),
    )
    run('git', 'commit', '--quiet', '--all', '--message', 'Fix')
    expect(release('patch')).toMatchObject({ status: 0 })
    expect((JSON.parse(read('package.json')) as Manifest).version).toBe('2.0.0')
  })

  it('refuses a work tree with changes', () => {
    const { read, release, write } = aRepository()
    write('new.txt', '')
    expect(release('minor')).toEqual({
      status: 1,
      said: 'release: the work tree has changes: commit or stash them',
    })
    expect((JSON.parse(read('package.json')) as Manifest).version).toBe('1.2.3')
  })

  it.each([
    ['1.2.3', '1.2.3 is not above 1.2.3'],
    ['1.2.3-rc.1', '1.2.3-rc.1 is not above 1.2.3'],
    ['next', 'the argument must be major, minor, patch or a version (got "next")'],
    ['', 'the argument must be major, minor, patch or a version (got "")'],
  ])('refuses the version "%s"', (wanted, why) => {
    expect(aRepository().release(wanted)).toEqual({ status: 1, said: `release: ${why}` })
  })

  it('refuses a version whose tag exists, and a release without changes', () => {
    const { run, release } = aRepository()
    run('git', 'tag', 'v1.3.0')
    expect(release('minor')).toEqual({ status: 1, said: 'release: the tag v1.3.0 exists' })
    expect(aRepository('# Changelog\n\n## Unreleased\n\n## 1.2.3\n\n- old\n').release('minor')).toEqual({
      status: 1,
      said: 'release: CHANGELOG.md lists nothing under Unreleased',
    })
  })
})
