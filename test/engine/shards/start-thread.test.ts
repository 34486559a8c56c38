import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { threadArgs } from '../../../engine/shards/start-thread.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

it('leaves out the arguments of an evaluated script, and nothing else', () => {
  expect(
    threadArgs(['--input-type=module', '--max-semi-space-size=2', '-e', 'code', '--no-warnings']),
  ).toEqual(['--max-semi-space-size=2', '--no-warnings'])
  expect(threadArgs(['--input-type', 'module', '--eval=code'])).toEqual([])
})

it('runs an engine with threads in a script given on the command line', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tertulia-eval-'))
  const code = `
    import { createEngine } from 'tertulia'
    const engine = await createEngine({ dataDir: ${JSON.stringify(dataDir)}, shards: 1 })
    const { group } = await engine.request({ userId: 'ana' }, 'create_group', { kind: 'group', groupId: 'g' })
    console.log(group.groupId)
    await engine.close()`
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
      cwd: root,
    })
    expect(stdout.trim()).toBe('g')
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

it('runs an engine with threads in a process with options of V8, as the command line has them', async () => {
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
