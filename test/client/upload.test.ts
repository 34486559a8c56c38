import { createHash, randomBytes } from 'node:crypto'
import { openAsBlob, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ChatClient } from '../../client/chat-client.ts'
import { systemClock } from '../../client/clock.ts'
import { upload } from '../../client/upload.ts'
import { ChatError } from '../../protocol/errors.ts'
import { resolveSettings } from '../../server/config.ts'
import { createServer, type Server } from '../../server/server.ts'
import { makeToken } from '../../server/token.ts'
import { temporaryFolder } from '../support/engines.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const jwtSecret = 'a secret of thirty-two bytes, and more'
const quiet = { info() {}, warn() {}, error() {} }

async function aServer(dataDir: string, port = 0): Promise<Server> {
  const server = await createServer({
    dataDir,
    port,
    host: '127.0.0.1',
    shards: 'inline',
    jwtSecret,
    logger: quiet,
    rateLimit: 0,
  })
  onTestFinished(() => server.close())
  return server
}

/** Ana, with a group of her own, behind a network that can be cut. */
async function ana(proxy: TcpProxy) {
  const token = () => makeToken(resolveSettings({ jwtSecret }), { userId: 'ana', ttlSeconds: 600 })
  const client = new ChatClient({
    url: `http://127.0.0.1:${proxy.port}`,
    token,
    clock: { ...systemClock, random: () => 0.01 },
  })
  onTestFinished(() => client.close())
  await client.connect()
  const { groupId } = await client.createGroup({ kind: 'group' })
  return { client, groupId, token }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('upload', () => {
  it('sends a file in many chunks, reports progress, and a message shows it', async () => {
    const server = await aServer(temporaryFolder())
    const { client, groupId, token } = await ana(await TcpProxy.start(server.port))
    const data = randomBytes(300_000)
    const path = join(temporaryFolder(), 'data.bin')
    writeFileSync(path, data)
    const progress: number[] = []
    const file = await client.upload({
      groupId,
      fileName: 'data.bin',
      data: await openAsBlob(path),
      onProgress: (received, size) => progress.push(received / size),
    })
    expect(file).toMatchObject({ fileName: 'data.bin', size: 300_000, sha256: sha256(data) })
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
    expect(progress.at(-1)).toBe(1)
    const { message } = await client.sendMessage({ groupId, content: '', type: 'file', fileId: file.fileId })
    expect(message.file).toEqual(file)
    const response = await fetch(server.url + file.url, {
      headers: { authorization: `Bearer ${await token()}` },
    })
    expect(sha256(new Uint8Array(await response.arrayBuffer()))).toBe(file.sha256)
  })

  it('continues over lost connections and a restart of the server', async () => {
    const dataDir = temporaryFolder()
    const first = await aServer(dataDir)
    const proxy = await TcpProxy.start(first.port)
    const { client, groupId } = await ana(proxy)
    const data = randomBytes(600_000)
    let chunks = 0
    let restarted: Promise<void> | null = null
    const file = await client.upload({
      groupId,
      fileName: 'data.bin',
      data,
      onProgress: () => {
        chunks += 1
        if (chunks === 2 || chunks === 7) proxy.cut()
        if (chunks === 4) {
          restarted = first.close().then(async () => {
            proxy.target = (await aServer(dataDir)).port
          })
        }
      },
    })
    await restarted
    expect(file.sha256).toBe(sha256(data))
    // Not from the beginning: 10 chunks, and hardly one of them twice.
    expect(chunks).toBeLessThan(14)
  })

  it('has several chunks under way while their answers come soon, else one', async () => {
    let nowMs = 0
    const asked: { readonly offset: number; answer(): void }[] = []
    const ask = (name: string, fields: { readonly offset?: number; readonly chunk?: Uint8Array }) => {
      if (name !== 'upload_chunk') return Promise.resolve({ uploadId: 'u', received: 0, size: 100 })
      const { offset = 0, chunk } = fields
      return new Promise((resolve) => {
        const progress = { uploadId: 'u', received: offset + (chunk?.length ?? 0), size: 100 }
        asked.push({ offset, answer: () => resolve(progress) })
      })
    }
    const clock = { ...systemClock, now: () => nowMs }
    const options = { ask: ask as never, clock, chunkBytes: 5 }
    const done = upload({ groupId: 'g', fileName: 'x', data: new Uint8Array(100) }, options)
    /** Answers the next chunk after that time; the number that is under way then. */
    let answered = 0
    const underWay = async (afterMs: number) => {
      nowMs += afterMs
      asked[answered]?.answer()
      answered += 1
      await new Promise(setImmediate)
      return asked.length - answered
    }
    await new Promise(setImmediate)
    expect(asked.length).toBe(1)
    const widths: number[] = []
    for (let i = 0; i < 9; i++) widths.push(await underWay(10))
    expect(widths).toEqual([2, 3, 4, 5, 6, 7, 8, 8, 8])
    // Those that were under way are awaited before another one is sent.
    for (let i = 0; i < 7; i++) await underWay(1_000)
    expect(await underWay(1_000)).toBe(1)
    while (answered < asked.length) await underWay(1_000)
    await done
    expect(asked.map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_, i) => i * 5))
  })

  it('waits while the server is stopping or busy, also where it begins and continues', async () => {
    const stored = { fileId: 'f' }
    const refusals = ['upload_begin', 'upload_chunk', 'upload_begin', 'upload_begin', 'upload_end']
    const asked: string[] = []
    const ask = async (name: string, fields: { readonly uploadId?: string }) => {
      asked.push(`${name} ${fields.uploadId}`)
      if (name === refusals[0]) {
        refusals.shift()
        throw new ChatError('shutting_down', undefined, { retryAfterMs: 100 })
      }
      return name === 'upload_end'
        ? stored
        : { uploadId: 'u', received: name === 'upload_begin' ? 0 : 9, size: 9 }
    }
    const waits: number[] = []
    const clock = {
      ...systemClock,
      random: () => 0.5,
      after(delayMs: number, then: () => void) {
        waits.push(delayMs)
        queueMicrotask(then)
        return () => {}
      },
    }
    const options = { ask: ask as never, clock, chunkBytes: 9 }
    const file = { groupId: 'g', fileName: 'x', data: new Uint8Array(9) }
    expect(await upload(file, options)).toBe(stored)
    expect(asked).toEqual([
      ...['upload_begin undefined', 'upload_begin undefined', 'upload_chunk u'],
      ...['upload_begin u', 'upload_begin u', 'upload_begin u', 'upload_chunk u', 'upload_end u'],
      ...['upload_begin u', 'upload_chunk u', 'upload_end u'],
    ])
    expect(waits).toEqual([150, 150, 150, 150, 150])
  })

  it('rejects for a group that the user is not in, and ends when it is aborted', async () => {
    const server = await aServer(temporaryFolder())
    const { client, groupId } = await ana(await TcpProxy.start(server.port))
    const data = randomBytes(200_000)
    await expect(client.upload({ groupId: 'other', fileName: 'x', data })).rejects.toMatchObject({
      code: 'not_found',
    })
    const abort = new AbortController()
    const given = client.upload({
      groupId,
      fileName: 'x',
      data,
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('changed my mind')),
    })
    await expect(given).rejects.toThrow('changed my mind')
  })
})
