import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ChatClient } from '../../../client/chat-client.ts'
import { ClientError } from '../../../client/client-error.ts'
import { systemClock } from '../../../client/clock.ts'
import { ChatError } from '../../../client/index.ts'
import type { CachedUpload } from '../../../client/store/cache/message-cache.ts'
import { FileUrls } from '../../../client/store/file-urls.ts'
import { createMessageCache } from '../../../client/store/index.ts'
import type { Failure, UploadItem } from '../../../client/store/types.ts'
import { Uploads, type UploadsOptions } from '../../../client/store/uploads.ts'
import type { FileToUpload } from '../../../client/upload.ts'
import type { File } from '../../../protocol/records.ts'
import { resolveSettings } from '../../../server/config.ts'
import { createServer, type Server } from '../../../server/server.ts'
import { makeToken } from '../../../server/token.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { Browser } from '../../support/browser.ts'
import { eventually } from '../../support/conditions.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { refusePuts, useIndexedDb } from '../../support/indexed-db.ts'
import { TcpProxy } from '../../support/tcp-proxy.ts'

const jwtSecret = 'a secret of thirty-two bytes, and more'
const quiet = { info() {}, warn() {}, error() {} }
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const token = () => makeToken(resolveSettings({ jwtSecret }), { userId: 'ana', ttlSeconds: 600 })

/** The rows of uploads that a device has stored. */
class Rows {
  readonly rows = new Map<string, CachedUpload>()
  put = (_: string, row: unknown) => {
    const upload = row as CachedUpload
    this.rows.set(upload.uploadId, upload)
  }
  remove = (_: string, key: string) => void this.rows.delete(key)
  flush = async () => true
}

function someUploads(
  client: UploadsOptions['client'],
  cache: UploadsOptions['cache'] = new Rows(),
  clock: UploadsOptions['clock'] = systemClock,
) {
  const done: File[] = []
  const failed: Failure[] = []
  const announced: (readonly UploadItem[])[] = []
  const uploads = new Uploads({
    client,
    cache,
    clock,
    onChange: (items) => announced.push(items),
    onDone: (_, file) => done.push(file),
    onFailed: (_, failure) => failed.push(failure),
  })
  const items = (): readonly UploadItem[] => uploads.view.getSnapshot().uploads
  return { uploads, done, failed, announced, items, states: () => items().map(({ state }) => state) }
}

const aFile = (data: Uint8Array<ArrayBuffer> | string, fileName = 'data.bin') => ({
  blob: new Blob([data]),
  fileName,
})

async function aServer(dataDir: string): Promise<Server> {
  const options = { dataDir, port: 0, host: '127.0.0.1', shards: 'inline', jwtSecret, logger: quiet } as const
  const server = await createServer({ ...options, rateLimit: 0 })
  onTestFinished(() => server.close())
  return server
}

/** Ana's device; its uploads are online while the client is. */
async function aDevice(url: string, cache = new Rows()) {
  const client = new ChatClient({ url, token, clock: { ...systemClock, random: () => 0.01 } })
  onTestFinished(() => client.close())
  const all = { ...someUploads(client, cache), cache }
  client.on('state', ({ state }) => {
    if (state === 'connected') all.uploads.online()
    else all.uploads.offline()
  })
  await client.connect()
  return { ...all, client }
}

describe('uploads to a server', () => {
  it('continue over cuts and a restart, and store one file with the right hash', async () => {
    const dataDir = temporaryFolder()
    const first = await aServer(dataDir)
    const proxy = await TcpProxy.start(first.port)
    const { client, uploads, done, items, cache } = await aDevice(`http://127.0.0.1:${proxy.port}`)
    const { groupId } = await client.createGroup({ kind: 'group' })
    const data = randomBytes(700_000)
    const sent: number[] = []
    let restarted = Promise.resolve()
    uploads.view.subscribe(() => {
      const now = items()[0]?.sent ?? 0
      if (now <= (sent.at(-1) ?? 0)) return
      sent.push(now)
      if (sent.length === 3 || sent.length === 8) proxy.cut()
      if (sent.length === 5) {
        restarted = first.close().then(async () => {
          proxy.target = (await aServer(dataDir)).port
        })
      }
    })
    uploads.add(groupId, aFile(data))
    await eventually(() => expect(done).toHaveLength(1))
    await restarted
    expect(done[0]).toMatchObject({ size: 700_000, sha256: sha256(data), fileName: 'data.bin' })
    expect([items(), cache.rows.size]).toEqual([[], 0])
  })

  it('continue after a reload where the server stopped, paused ones when they are resumed', async () => {
    const server = await aServer(temporaryFolder())
    const before = await aDevice(server.url)
    const { groupId } = await before.client.createGroup({ kind: 'group' })
    const data = randomBytes(500_000)
    before.uploads.view.subscribe(() => {
      const [item] = before.items()
      if (item?.state === 'uploading' && item.sent > 200_000) before.uploads.pause(item.uploadId)
    })
    before.uploads.add(groupId, aFile(data))
    await eventually(() => expect(before.states()).toEqual(['paused']))
    const pausedAt = before.items()[0]?.sent ?? 0
    expect(pausedAt).toBeGreaterThan(200_000)
    before.client.close()

    const after = await aDevice(server.url, before.cache)
    after.uploads.restore([...after.cache.rows.values()])
    expect(after.items()).toMatchObject([{ state: 'paused', sent: pausedAt }])
    const first: number[] = []
    after.uploads.view.subscribe(() => {
      if (after.states()[0] === 'uploading') first.push(after.items()[0]?.sent ?? 0)
    })
    after.uploads.resume(after.items()[0]?.uploadId ?? '')
    await eventually(() => expect(after.done).toHaveLength(1))
    expect(after.done[0]?.sha256).toBe(sha256(data))
    expect(first.find((sent) => sent > 0)).toBeGreaterThan(200_000)

    const address = await new FileUrls(server.url, token).of(after.done[0] as File)
    expect(sha256(new Uint8Array(await (await fetch(address)).arrayBuffer()))).toBe(sha256(data))
  })

  it('fail with the reason of the server', async () => {
    const server = await aServer(temporaryFolder())
    const { uploads, failed, states } = await aDevice(server.url)
    uploads.add('other', aFile('x'))
    await eventually(() => expect(states()).toEqual(['failed']))
    expect(failed).toMatchObject([{ code: 'not_found' }])
  })
})

/** A client whose uploads a test ends. */
function aScriptedClient() {
  const calls: { file: FileToUpload; resolve: (file: File) => void; reject: (error: unknown) => void }[] = []
  const upload = (file: FileToUpload) =>
    new Promise<File>((resolve, reject) => void calls.push({ file, resolve, reject }))
  return { client: { upload }, calls }
}

const stored = { fileId: 'f1' } as File

describe('uploads', () => {
  it('send one file at a time, in their order, without those that are paused', async () => {
    const { client, calls } = aScriptedClient()
    const { uploads, states, done } = someUploads(client)
    const ids = ['a', 'b', 'c'].map((name) => uploads.add('team', aFile(name, name)).uploadId)
    expect(states()).toEqual(['waiting', 'waiting', 'waiting'])
    uploads.pause(ids[1] as string)
    uploads.online()
    await eventually(() => expect(calls).toHaveLength(1))
    expect(states()).toEqual(['uploading', 'paused', 'waiting'])
    calls[0]?.resolve(stored)
    await eventually(() => expect(calls).toHaveLength(2))
    expect([states(), done]).toEqual([['paused', 'uploading'], [stored]])
    expect(calls[1]?.file.fileName).toBe('c')
    uploads.abort(ids[2] as string)
    expect(calls[1]?.file.signal?.aborted).toBe(true)
    expect(states()).toEqual(['paused'])
  })

  it('wait offline, and start from the beginning if the server has deleted the part', async () => {
    const { client, calls } = aScriptedClient()
    const cache = new Rows()
    const { uploads, states } = someUploads(client, cache)
    const { uploadId } = uploads.add('team', aFile('hello'))
    uploads.online()
    await eventually(() => expect(calls).toHaveLength(1))
    expect(calls[0]?.file.sha256).toBe(sha256(Buffer.from('hello')))
    calls[0]?.file.onBegin?.('remote-1')
    expect(cache.rows.get(uploadId)?.remoteId).toBe('remote-1')
    uploads.offline()
    expect(states()).toEqual(['waiting'])
    uploads.online()
    await eventually(() => expect(calls).toHaveLength(2))
    expect(calls[1]?.file.uploadId).toBe('remote-1')
    calls[1]?.reject(new ChatError('not_found'))
    await eventually(() => expect(calls).toHaveLength(3))
    expect(calls[2]?.file.uploadId).toBeUndefined()
  })

  it('repeat what failed because of the connection or a busy server', async () => {
    const clock = new ManualClock()
    const { client, calls } = aScriptedClient()
    const { uploads, states } = someUploads(client, undefined, clock.forClient)
    uploads.add('team', aFile('hello'))
    uploads.online()
    await eventually(() => expect(calls).toHaveLength(1))
    calls[0]?.reject(new ClientError('timeout'))
    await eventually(() => expect(clock.dueInMs).toEqual([2_000]))
    clock.advance(2_000)
    await eventually(() => expect(calls).toHaveLength(2))
    calls[1]?.reject(new ChatError('overloaded', undefined, { retryAfterMs: 100 }))
    await eventually(() => expect(clock.dueInMs).toEqual([2_000]))
    expect(states()).toEqual(['uploading'])
  })

  it('can be repeated after a failure', async () => {
    const { client, calls } = aScriptedClient()
    const { uploads, states, failed, items } = someUploads(client)
    const { uploadId } = uploads.add('team', aFile('hello'))
    uploads.online()
    await eventually(() => expect(calls).toHaveLength(1))
    calls[0]?.reject(new ChatError('quota_exceeded'))
    await eventually(() => expect(states()).toEqual(['failed']))
    expect(failed).toEqual([items()[0]?.failure])
    uploads.resume(uploadId)
    await eventually(() => expect(calls).toHaveLength(2))
    expect(items()[0]?.failure).toBeUndefined()
  })

  it('are announced to other tabs at each change of a state, and for progress four times a second', async () => {
    const clock = new ManualClock()
    const { client, calls } = aScriptedClient()
    const { uploads, announced } = someUploads(client, undefined, clock.forClient)
    uploads.add('team', aFile('hello'))
    uploads.online()
    await eventually(() => expect(calls).toHaveLength(1))
    announced.length = 0
    for (let sent = 1; sent <= 5_000; sent += 1) {
      if (sent % 10 === 0) clock.advance(1)
      calls[0]?.file.onProgress?.(sent, 5_000)
    }
    expect(announced).toHaveLength(2)
    uploads.offline()
    expect(announced.at(-1)).toMatchObject([{ state: 'waiting', sent: 5_000 }])
  })

  it('are stored when their file is in the database', async () => {
    useIndexedDb()
    const accept = refusePuts('files')
    const clock = new ManualClock().forClient
    const channel = new Browser().openTab().channel('uploads')
    const cache = createMessageCache({ name: 'uploads', channel, clock })
    onTestFinished(() => cache.close())
    const { uploads, items } = someUploads(aScriptedClient().client, cache)
    const areStored = () => items().map(({ isStored }) => isStored)
    const { uploadId } = uploads.add('team', aFile('hello'))
    expect(areStored()).toEqual([false])
    expect(await cache.flush()).toBe(false)
    expect(areStored()).toEqual([false])
    accept()
    uploads.pause(uploadId)
    await eventually(() => expect(areStored()).toEqual([true]))
  })

  it('are never stored without a database', async () => {
    const clock = new ManualClock().forClient
    const channel = new Browser().openTab().channel('uploads')
    const cache = createMessageCache({ name: 'uploads', channel, clock })
    const { uploads, items } = someUploads(aScriptedClient().client, cache)
    uploads.add('team', aFile('hello'))
    expect(await cache.flush()).toBe(false)
    expect(items()).toMatchObject([{ isStored: false }])
  })

  it('are bounded', () => {
    const { uploads, failed } = someUploads(aScriptedClient().client)
    for (let i = 0; i < 101; i++) uploads.add('team', aFile('x'))
    expect(failed).toMatchObject([{ code: 'limit_reached' }])
  })
})
