import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from './support/conditions.ts'
import { temporaryFolder } from './support/engines.ts'
import { ServerProcess, tokenOf } from './support/server-process.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

function codeOf(example: string): string {
  return readFileSync(join(root, 'examples', example), 'utf8')
}

/** Runs an example as its reader would: in a folder of its own where the built package is installed. */
function run(example: string, ...args: readonly string[]): { child: ChildProcess; said: () => string } {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules', 'tertulia'))
  // The examples have no types of their own, so that they are JavaScript as they stand.
  writeFileSync(join(folder, 'example.mjs'), codeOf(example))
  const child = spawn(process.execPath, ['example.mjs', ...args], { cwd: folder })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return { child, said: () => output }
}

describe('examples/', () => {
  it('first-chat.ts: Bob hears Alice, and the process ends', async () => {
    const { child, said } = run('first-chat.ts')
    await eventually(() => expect([said(), child.exitCode]).toEqual(['Alice: olá\n', 0]))
  })

  it('client-chat.ts: the client hears its own message from a real server', async () => {
    const server = await ServerProcess.start(temporaryFolder())
    const { said } = run('client-chat.ts', `http://127.0.0.1:${server.port}`, await tokenOf('ana'))
    await eventually(() => expect(said()).toBe('(connecting)\n(connected)\nana: olá\n'))
  })
})

describe('README.md', () => {
  it('shows no TypeScript but that of the examples', () => {
    const withoutComments = (code: string) =>
      code
        .replace(/^\/\/.*\n/gm, '')
        .replace(/ +/g, ' ')
        .trim()
    const examples = readdirSync(join(root, 'examples')).map((name) => withoutComments(codeOf(name)))
    const shown = readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)
    for (const [, code = ''] of shown) expect(examples).toContain(withoutComments(code))
  })
})
