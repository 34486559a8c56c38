import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/conditions.ts'
import { temporaryFolder } from '../support/engines.ts'
import { ServerProcess, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'

/** The limit of a file in KiB: equivalent to a full disk, and can be lifted. */
const FILE_LIMIT_KB = 600

/** Starts the server with a limit for the size of files, above which every write fails. */
function startLimited(dataDir: string): Promise<ServerProcess> {
  // The signal is ignored, so that the write itself fails; bash counts blocks of 1,024 bytes.
  const limited = `trap '' XFSZ; ulimit -S -f ${FILE_LIMIT_KB}; exec "$0" "$@"`
  return ServerProcess.run(['bash', '-c', limited, process.execPath, ServerProcess.main, 'serve'], dataDir)
}

async function ready(server: ServerProcess): Promise<number> {
  return (await fetch(`http://127.0.0.1:${server.port}/readyz`)).status
}

describe.skipIf(process.platform !== 'linux')('a full disk while running', () => {
  it('answers message_error, makes /readyz answer 503, and loses nothing acknowledged', async () => {
    const dataDir = temporaryFolder()
    const server = await startLimited(dataDir)
    const client = await new SocketClient(server.port, { token: await tokenOf('ana') }).up()
    client.send('create_group', 1, { kind: 'group', groupId: 'g' })
    await client.next('group')
    expect(await ready(server)).toBe(200)

    const acknowledged = new Map<string, number>()
    let refused: string | null = null
    client.onEvent((event) => {
      if (event.event === 'message_sent') acknowledged.set(event.fields.tempId, event.fields.message.seq)
      if (event.event === 'message_error') {
        refused ??= event.fields.tempId
        expect(event.fields.error).toMatchObject({ code: 'storage_unavailable', retryAfterMs: 1_000 })
      }
    })
    const content = 'x'.repeat(20_000)
    for (let i = 0; refused === null; i++) {
      client.send('send_message', i + 2, { groupId: 'g', content, tempId: `t${i}` })
      await eventually(() => expect(acknowledged.has(`t${i}`) || refused !== null).toBe(true))
    }
    expect(acknowledged.size).toBeGreaterThan(5)
    expect(await ready(server)).toBe(503)

    // After space is available again a retry of the refused message creates it once.
    execFileSync('prlimit', ['--pid', String(server.pid), '--fsize=unlimited'])
    await eventually(async () => expect(await ready(server)).toBe(200))
    client.send('send_message', 1_000, { groupId: 'g', content, tempId: refused })
    await eventually(() => expect(acknowledged.has(refused as string)).toBe(true))
    expect(await server.stop()).toBe(0)

    const again = await ServerProcess.start(dataDir)
    const reader = await new SocketClient(again.port, { token: await tokenOf('ana') }).up()
    const stored = new Map<string | undefined, number>()
    for (let after = 0, more = true; more; ) {
      reader.send('get_history', 1, { groupId: 'g', after, limit: 200 })
      const { fields } = await reader.next('history')
      for (const { tempId, seq } of fields.messages) {
        expect(stored.has(tempId)).toBe(false)
        stored.set(tempId, seq)
        after = seq
      }
      more = fields.hasMore
    }
    expect(stored).toEqual(acknowledged)
  })
})

describe('a full disk at the start', () => {
  it('exits with one clear line', async () => {
    await expect(ServerProcess.start('/proc/no-such-directory')).rejects.toThrow(
      /data directory \/proc\/no-such-directory cannot be used: /,
    )
  })
})
