import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { moduleArgs } from '../../../engine/runtime/start-thread.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

it('passes on the options that change how modules are loaded, and no others', () => {
  const loading = ['--import', './a.mjs', '--conditions=development', '-r', './b.cjs']
  const others = ['--input-type=module', '--max-semi-space-size=2', '--no-warnings', '-e', 'code']
  expect(moduleArgs([...others.slice(0, 2), ...loading, ...others.slice(2)])).toEqual(loading)
  expect(moduleArgs(others)).toEqual([])
})

it.each([
  ['', []],
  [' beside options of V8', ['--max-semi-space-size=2', '--v8-pool-size=0']],
])('runs an engine with threads in a script given on the command line%s', async (_, options) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tertulia-eval-'))
  const code = `
    import { createEngine } from 'tertulia'
    const engine = await createEngine({ dataDir: ${JSON.stringify(dataDir)}, shards: 1 })
    const { group } = await engine.request({ userId: 'ana' }, 'create_group', { kind: 'group', groupId: 'g' })
    console.log(group.groupId)
    await engine.close()`
  try {
    const args = [...options, '--input-type=module', '-e', code]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
    expect(stdout.trim()).toBe('g')
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

it('runs an engine with threads in a process with V8 options on its command line', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tertulia-v8-'))
  const script = join(dataDir, 'script.mjs')
  writeFileSync(
    script,
    `import { createEngine } from ${JSON.stringify(new URL('../../../dist/engine/index.js', import.meta.url))}
    const engine = await createEngine({ dataDir: ${JSON.stringify(dataDir)}, shards: 1 })
    console.log(engine.health().ready)
    await engine.close()`,
  )
  try {
    const args = ['--max-semi-space-size=2', '--v8-pool-size=0', script]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(stdout.trim()).toBe('true')
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
