import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What a user's program names; the types of records are part of every entry point that shows them. */
const program = `
import { createEngine } from 'tertulia'
import type * as Engine from 'tertulia'
import { ChatClient } from 'tertulia/client'
import type * as Client from 'tertulia/client'
import { encodeRequest } from 'tertulia/protocol'
import type * as Protocol from 'tertulia/protocol'
import { createServer } from 'tertulia/server'
import { collect, startTestEngine } from 'tertulia/testing'
import { PeerCalls } from 'tertulia/calls'
import { ChatStore, type View } from 'tertulia/store'
import { mountChat } from 'tertulia/web'

export type Records = [
  Engine.File, Engine.Reaction, Engine.User, Engine.SearchHit, Engine.Invitation, Engine.Message, Engine.Group, Engine.Member,
  Client.File, Client.Reaction, Client.User, Client.SearchHit, Client.Invitation, Client.Message, Client.Group, Client.Member,
  Protocol.File, Protocol.Reaction, Protocol.User, Protocol.SearchHit, Protocol.Invitation, Protocol.Message, Protocol.Group,
]

const client = new ChatClient({ url: 'http://localhost:4040', token: async () => 'token' })
const shown: Client.Message[] = []
client.on('new_message', ({ message }) => shown.push(message))

export async function run(): Promise<Client.File | undefined> {
  const engine = await createEngine({ dataDir: './data' })
  await createServer({ engine, jwtSecret: 'secret' })
  const found: readonly Client.SearchHit[] = (await client.search({ query: 'x' })).hits
  // @ts-expect-error a field of the wrong type
  await client.sendMessage({ groupId: 5, content: 'x' })
  return found[0]?.message.file ?? (await client.upload({ groupId: 'g', fileName: 'f', data: new Uint8Array() }))
}
export async function test(): Promise<number> {
  const engine = await startTestEngine({ shards: 3 })
  const posts = collect(engine.client({ userId: 'ana' }, { sendWindow: 2 }), 'new_message')
  await engine.advance(1_000)
  return posts.filter(({ message }) => message.content === 'x').length
}
export const titles = (view: View<number>): number => view.getSnapshot()
export { ChatStore, encodeRequest, mountChat, PeerCalls }
`

let folder: string

/** An empty project with the package as npm would install it: without its development dependencies. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tertulia-types-'))
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Record<
    string,
    object | undefined
  >
  const installed = `${folder}/node_modules/tertulia`
  mkdirSync(installed, { recursive: true })
  cpSync(`${root}/package.json`, `${installed}/package.json`)
  for (const part of ['protocol', 'engine', 'server', 'client', 'testing', 'web']) {
    cpSync(`${root}/dist/${part}`, `${installed}/dist/${part}`, { recursive: true })
  }
  const dependencies = { ...manifest['dependencies'], ...manifest['optionalDependencies'] }
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    const target = join(folder, 'node_modules', name)
    mkdirSync(dirname(target), { recursive: true })
    // An optional one may not be installed here.
    if (existsSync(`${root}/node_modules/${name}`)) symlinkSync(`${root}/node_modules/${name}`, target)
  }
  writeFileSync(`${folder}/package.json`, '{"type":"module"}')
  writeFileSync(`${folder}/program.ts`, program)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function compile(...args: readonly string[]): string {
  const strict = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2023']
  try {
    const tsc = `${root}/node_modules/typescript/bin/tsc`
    execFileSync(process.execPath, [tsc, ...strict, '--types', 'node', ...args, 'program.ts'], {
      cwd: folder,
    })
    return ''
  } catch (error) {
    return String((error as { stdout: Buffer }).stdout)
  }
}

describe('the built types, in a project of a user', () => {
  it.each([
    ['nodenext', ['--module', 'nodenext', '--moduleResolution', 'nodenext', '--lib', 'es2023,dom']],
    ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2023,dom']],
  ])('compile with every check of libraries under %s', { timeout: 120_000 }, (_, args) => {
    expect(compile(...args)).toBe('')
  })
})
