/**
 * Release: sets the version, closes the changelog's section, commits and tags.
 *
 *   npm run release -- minor        or major, patch, or a version such as 1.0.0-rc.1
 *
 * Refuses if the work tree is not clean, the version does not rise, its tag exists, or nothing is listed
 * under Unreleased. It pushes and publishes nothing: it prints the commands for that. `package.json` alone
 * states the version; `package-lock.json` repeats it for npm.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?$/
const UNRELEASED = '## Unreleased\n'

try {
  release(process.argv[2] ?? '')
} catch (error) {
  console.error(`release: ${error.message}`)
  process.exitCode = 1
}

function release(wanted) {
  const manifest = JSON.parse(read('package.json'))
  const version = nextVersion(manifest.version, wanted)
  const tag = `v${version}`
  if (git('status', '--porcelain') !== '') throw new Error('the work tree has changes: commit or stash them')
  if (git('tag', '--list', tag) !== '') throw new Error(`the tag ${tag} exists`)
  const changelog = closeSection(read('CHANGELOG.md'), version)

  writeJson('package.json', { ...manifest, version })
  const lock = JSON.parse(read('package-lock.json'))
  writeJson('package-lock.json', {
    ...lock,
    version,
    packages: { ...lock.packages, '': { ...lock.packages[''], version } },
  })
  write('CHANGELOG.md', changelog)
  git('commit', '--quiet', '--all', '--message', `Release ${version}`)
  git('tag', '--annotate', tag, '--message', `${manifest.name} ${version}`)
  console.log(`${manifest.version} -> ${version}, tag ${tag}. After .ci/run has passed on it:`)
  console.log('  git push --follow-tags')
  console.log('  npm publish')
}

function nextVersion(current, wanted) {
  const [major, minor, patch] = parse(current)
  const isPrerelease = parse(current)[3] !== undefined
  switch (wanted) {
    case 'major':
      return `${major + 1}.0.0`
    case 'minor':
      return `${major}.${minor + 1}.0`
    case 'patch':
      // 1.2.3-rc.1 is followed by 1.2.3.
      return `${major}.${minor}.${isPrerelease ? patch : patch + 1}`
  }
  if (!VERSION.test(wanted)) {
    throw new Error(`the argument must be major, minor, patch or a version (got "${wanted}")`)
  }
  if (compare(parse(wanted), parse(current)) <= 0) throw new Error(`${wanted} is not above ${current}`)
  return wanted
}

function parse(version) {
  const match = VERSION.exec(version)
  if (!match) throw new Error(`"${version}" in package.json is not a version`)
  return [...match.slice(1, 4).map(Number), match[4]]
}

/** As semantic versioning orders them: a pre-release is below its release. */
function compare(a, b) {
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return a[i] - b[i]
  if (a[3] === b[3]) return 0
  if (a[3] === undefined) return 1
  if (b[3] === undefined) return -1
  return a[3].localeCompare(b[3], 'en', { numeric: true })
}

/** The entries under Unreleased become those of the version; an empty Unreleased remains. */
function closeSection(changelog, version) {
  const start = changelog.indexOf(UNRELEASED)
  if (start < 0) throw new Error('CHANGELOG.md has no section "## Unreleased"')
  const entries = changelog.slice(start + UNRELEASED.length)
  const end = entries.search(/^## /m)
  if ((end < 0 ? entries : entries.slice(0, end)).trim() === '') {
    throw new Error('CHANGELOG.md lists nothing under Unreleased')
  }
  return `${changelog.slice(0, start)}${UNRELEASED}\n## ${version}\n${entries}`
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
}

function read(name) {
  return readFileSync(`${root}/${name}`, 'utf8')
}

function write(name, text) {
  writeFileSync(`${root}/${name}`, text)
}

function writeJson(name, value) {
  write(name, `${JSON.stringify(value, null, 2)}\n`)
}
