import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../support/engines.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const preload = fileURLToPath(new URL('../../support/report-synchronous.mjs', import.meta.url))

// DUR-1
it.each([
  ['disk', '2'],
  ['process', '1'],
])('the writer thread of an engine with durability %s has synchronous = %s', async (durability, expected) => {
  const folder = temporaryFolder()
  const report = join(folder, 'report')
  const code = `
    import { createEngine } from 'tertulia'
    const dataDir = ${JSON.stringify(join(folder, 'data'))}
    const engine = await createEngine({ dataDir, shards: 1, durability: '${durability}' })
    await engine.request({ userId: 'ana' }, 'create_group', { kind: 'group' })
    await engine.close()`
  await promisify(execFile)(process.execPath, ['--import', preload, '--input-type=module', '-e', code], {
    cwd: root,
    env: { ...process.env, REPORT_FILE: report },
  })
  const lines = readFileSync(report, 'utf8').trim().split('\n')
  expect(new Set(lines)).toEqual(new Set([`writer ${expected}`]))
})
