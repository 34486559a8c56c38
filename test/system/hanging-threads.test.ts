/**
 * Threads that hang or exit, in servers of their own. Detection and the time limit of a stop take seconds
 * of the server's time, so that all servers start at once, and each test awaits the outcome of its own.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { ServerProcess, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'

const preload = fileURLToPath(new URL('../support/hanging-thread.mjs', import.meta.url))
const threads = ['writer', 'reader', 'copier', 'search', 'file', 'shard'] as const
/** For all servers together, on a machine that is busy with other things. */
const LIMIT_MS = 180_000
type Thread = (typeof threads)[number]

/** The name of a thread in the answers of the server. */
const names = {
  writer: 'storage-writer',
  reader: 'storage-reader',
  search: 'search',
  copier: 'storage-copier',
  file: 'files',
  shard: 'shard-0',
} as const satisfies Record<Thread, string>

/**
 * A request that needs the thread, and the event that refuses it. Without its shard no request is answered, and
 * none waits for the copier.
 */
const needs = {
  writer: ['send_message', { groupId: 'g', content: 'held', tempId: 't1' }, 'message_error'],
  reader: ['get_groups', {}, 'error'],
  search: ['search', { query: 'held' }, 'error'],
  file: ['upload_begin', { groupId: 'g', fileName: 'a.txt', fileSize: 3 }, 'error'],
} as const

interface Outcome {
  readonly refusal: unknown
  /** The exit code after SIGTERM; null if the process was killed. */
  readonly exitCode: number | null
}

const scratch = mkdtempSync(join(tmpdir(), 'tertulia-'))
const hanging = new Map<Thread, Promise<Outcome>>()
const exiting = new Map<Thread, Promise<number | null>>()
const kills: (() => void)[] = []

beforeAll(() => {
  for (const thread of threads) {
    hanging.set(thread, hang(thread))
    exiting.set(thread, exit(thread))
  }
  // Each is awaited by its test.
  for (const outcome of [...hanging.values(), ...exiting.values()]) outcome.catch(() => {})
})

afterAll(() => {
  for (const kill of kills) kill()
  rmSync(scratch, { recursive: true, force: true })
})

/** A server with one shard, a connected member of the group `g`, and a function that disturbs a thread. */
async function startDisturbed(folder: string) {
  const file = join(scratch, `${folder}.order`)
  const server = await ServerProcess.run(
    [process.execPath, '--import', preload, ServerProcess.main, 'serve'],
    join(scratch, folder),
    { HANG_FILE: file, SHARDS: '1' },
    (kill) => kills.push(kill),
  )
  const client = await new SocketClient(server.port, { token: await tokenOf('ana') }).up()
  client.send('create_group', 1, { kind: 'group', groupId: 'g' })
  await client.next('group')
  return { server, client, disturb: (order: string) => writeFileSync(file, order) }
}

async function readiness({ port }: ServerProcess) {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`)
  const { reason } = (await response.json()) as { readonly reason?: string }
  return { code: response.status, reason }
}

async function hang(thread: Thread): Promise<Outcome> {
  const { server, client, disturb } = await startDisturbed(`hang-${thread}`)
  await eventually(async () => expect(await readiness(server)).toMatchObject({ code: 200 }))
  disturb(`${thread} hang`)
  const reason = `the thread ${names[thread]} does not answer`
  await eventually(async () => expect(await readiness(server)).toEqual({ code: 503, reason }))
  let refusal: unknown = null
  if (thread !== 'shard' && thread !== 'copier') {
    const [request, fields, event] = needs[thread]
    client.send(request, 2, fields)
    const refused = await client.next(event)
    refusal = 'error' in refused.fields ? refused.fields.error : refused.fields
  }
  return { refusal, exitCode: await server.stop() }
}

async function exit(thread: Thread): Promise<number | null> {
  const { server, disturb } = await startDisturbed(`exit-${thread}`)
  const ended = server.ended()
  disturb(`${thread} exit`)
  return await ended
}

describe('a thread that hangs', () => {
  it.each(threads)(
    'makes /readyz answer 503 with its name, and the process is killed after SIGTERM (%s)',
    async (thread) => {
      const { exitCode } = (await hanging.get(thread)) as Outcome
      // With SIGKILL, because `process.exit` would wait for the thread.
      expect(exitCode).toBe(null)
    },
    LIMIT_MS,
  )

  it.each(['writer', 'reader', 'search', 'file'] as const)(
    'refuses the requests that need it as storage_unavailable (%s)',
    async (thread) => {
      const { refusal } = (await hanging.get(thread)) as Outcome
      expect(refusal).toMatchObject({ code: 'storage_unavailable', retryAfterMs: 1_000 })
    },
    LIMIT_MS,
  )
})

describe('a thread that exits without an error', () => {
  it.each(threads)(
    'ends the process (%s)',
    async (thread) => {
      expect(await exiting.get(thread)).toBe(1)
    },
    LIMIT_MS,
  )
})
