import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../support/engines.ts'
import { ServerProcess, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'

const preload = fileURLToPath(new URL('../support/hanging-thread.mjs', import.meta.url))

/** A server with one shard, a connected member of the group `g`, and a function that disturbs a thread. */
async function startDisturbed() {
  const dataDir = temporaryFolder()
  const file = join(temporaryFolder(), 'order')
  const server = await ServerProcess.run(
    [process.execPath, '--import', preload, ServerProcess.main, 'serve'],
    dataDir,
    { HANG_FILE: file, SHARDS: '1' },
  )
  const client = await new SocketClient(server.port, { token: await tokenOf('ana') }).up()
  client.send('create_group', 1, { kind: 'group', groupId: 'g' })
  await client.next('group')
  return { server, client, disturb: (order: string) => writeFileSync(file, order) }
}

/** Detection takes five seconds of the server's time; the limit is for failures. */
function soon<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 25_000, interval: 50 })
}

async function readiness(server: ServerProcess) {
  const response = await fetch(`http://127.0.0.1:${server.port}/readyz`)
  const { reason } = (await response.json()) as { readonly reason?: string }
  return { code: response.status, reason }
}

/** A request that needs the thread, and the event that refuses it. */
const needs = {
  writer: ['send_message', { groupId: 'g', content: 'held', tempId: 't1' }, 'message_error'],
  reader: ['get_groups', {}, 'error'],
  search: ['search', { query: 'held' }, 'error'],
  files: ['upload_begin', { groupId: 'g', fileName: 'a.txt', fileSize: 3 }, 'error'],
} as const

describe('a thread that hangs', () => {
  it.each([
    ['writer', 'the thread storage-writer does not answer'],
    ['reader', 'the thread storage-reader does not answer'],
    ['search', 'the thread search does not answer'],
    ['files', 'the thread files does not answer'],
  ] as const)(
    'turns /readyz red, its requests storage_unavailable, and is cut by SIGTERM (%s)',
    async (thread, reason) => {
      const { server, client, disturb } = await startDisturbed()
      expect(await readiness(server)).toMatchObject({ code: 200 })
      disturb(`${thread} hang`)
      await soon(async () => expect(await readiness(server)).toEqual({ code: 503, reason }))
      const [request, fields, refusal] = needs[thread]
      client.send(request, 2, fields)
      const refused = await client.next(refusal)
      const error = 'error' in refused.fields ? refused.fields.error : refused.fields
      expect(error).toMatchObject({ code: 'storage_unavailable', retryAfterMs: 1_000 })
      expect(await server.stop()).toBe(null)
    },
    60_000,
  )

  it('makes /readyz answer 503, and is killed after SIGTERM (shard)', async () => {
    const { server, disturb } = await startDisturbed()
    disturb('shard hang')
    const reason = 'the thread shard-0 does not answer'
    await soon(async () => expect(await readiness(server)).toEqual({ code: 503, reason }))
    // With SIGKILL, because `process.exit` would wait for the thread.
    expect(await server.stop()).toBe(null)
  }, 60_000)
})

describe('a thread that exits without an error', () => {
  it.each(['writer', 'reader', 'search', 'files', 'shard'])(
    'ends the process (%s)',
    async (thread) => {
      const { server, disturb } = await startDisturbed()
      const ended = server.ended()
      disturb(`${thread} exit`)
      expect(await ended).toBe(1)
    },
    60_000,
  )
})
