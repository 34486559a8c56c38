import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { File } from '../../protocol/records.ts'
import { subprotocols } from '../../protocol/subprotocols.ts'
import { eventually } from '../support/conditions.ts'
import { aPng } from '../support/media.ts'
import { type Rows, startRows } from './rows/harness.ts'

const png = aPng(12, 34)
const large = Buffer.alloc(1_500_000, 'tertulia ')
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

let rows: Rows
let groupId: string
beforeEach(async () => {
  rows = await startRows(subprotocols.msgpack, { maxUpload: 2_000_000 })
  const ana = await rows.device('ana')
  groupId = await ana.group({ members: ['bruno'] })
})

async function fetchAs(userId: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${await rows.tokenOf(userId)}`, ...init.headers }
  return await fetch(`${rows.server.url}${path}`, { ...init, headers })
}

/** The answer to an upload. */
async function post(userId: string, bytes: Uint8Array, query: Record<string, string | number> = {}) {
  const search = new URLSearchParams({ groupId, fileName: 'photo.png', ...query } as Record<string, string>)
  const body = new Uint8Array(bytes)
  const response = await fetchAs(userId, `/api/chat/files?${search}`, { method: 'POST', body })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

/** A file of Ana that a message refers to. */
async function shown(bytes: Uint8Array, query: Record<string, string> = {}): Promise<File> {
  const { body } = await post('ana', bytes, query)
  const ana = await rows.device('ana')
  await ana.post(groupId, '', { type: 'file', fileId: body.fileId })
  return body
}

/** A request whose connection is closed in the middle of the body. */
async function breakOff(path: string, bytes: Uint8Array, sent: number): Promise<void> {
  const socket = connect(rows.server.port, '127.0.0.1')
  const token = await rows.tokenOf('ana')
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${bytes.length}\r\n\r\n`
  await new Promise<void>((resolve) => socket.write(head, () => resolve()))
  await new Promise<void>((resolve) => socket.write(bytes.subarray(0, sent), () => resolve()))
  await eventually(() => expect(uploads()).toHaveLength(1))
  const [uploadId = ''] = uploads()
  await eventually(async () => expect(await progress(uploadId)).toMatchObject({ received: sent }))
  socket.destroy()
  await eventually(() => expect(names().filter((name) => name.endsWith('.lock'))).toEqual([]))
}

const names = () => readdirSync(join(rows.dataDir, 'files/partial'))
/** Ids of the unfinished uploads. */
const uploads = () => names().flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []))
const progress = async (uploadId: string): Promise<unknown> =>
  (await fetchAs('ana', `/api/chat/files/uploads/${uploadId}`)).json()

describe('POST /api/chat/files', () => {
  it('stores the body and returns its metadata', async () => {
    const { status, headers, body } = await post('ana', png, {
      mimeType: 'text/html',
      fileName: 'foto é.png',
    })
    expect({ status, location: headers.get('location') }).toEqual({ status: 201, location: body.url })
    expect(body).toMatchObject({ mimeType: 'image/png', fileName: 'foto é.png', width: 12, height: 34 })
    expect(body.sha256).toBe(hashOf(png))
  })

  it('accepts a chunked body if fileSize is given', async () => {
    const parts = [large.subarray(0, 700_000), large.subarray(700_000)]
    const body = new ReadableStream({
      pull(controller) {
        const part = parts.shift()
        if (part) controller.enqueue(new Uint8Array(part))
        else controller.close()
      },
    })
    const path = `/api/chat/files?groupId=${groupId}&fileName=a.txt`
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit
    const response = await fetchAs('ana', `${path}&fileSize=${large.length}`, init)
    expect(await response.json()).toMatchObject({ sha256: hashOf(large), mimeType: 'text/plain' })
    const little = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(3))
        controller.close()
      },
    })
    const without = { method: 'POST', body: little, duplex: 'half' } as RequestInit
    expect((await fetchAs('ana', path, without)).status).toBe(411)
  })

  it.each<[string, string, number, Record<string, string>, number, string]>([
    ['a stranger', 'eve', 10, {}, 404, 'not_found'],
    ['a group that is not there', 'ana', 10, { groupId: 'nowhere' }, 404, 'not_found'],
    ['no group', 'ana', 10, { groupId: '' }, 400, 'bad_request'],
    ['no name', 'ana', 10, { fileName: '' }, 400, 'bad_request'],
    ['more bytes than may be', 'ana', 2_000_001, {}, 413, 'too_large'],
    ['more bytes than it says', 'ana', 10, { fileSize: '5' }, 400, 'bad_request'],
    ['a size that is none', 'ana', 10, { fileSize: '-1' }, 400, 'bad_request'],
    ['another hash', 'ana', 10, { sha256: '0'.repeat(64) }, 422, 'bad_file'],
    ['an upload that is not there', 'ana', 10, { uploadId: '../../x' }, 404, 'not_found'],
  ])('refuses %s', async (_, userId, size, query, status, code) => {
    const answer = await post(userId, Buffer.alloc(size, 'x'), query)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
  })

  it('refuses a request without a token before anything is stored', async () => {
    const path = `/api/chat/files?groupId=${groupId}&fileName=a`
    const response = await fetch(`${rows.server.url}${path}`, { method: 'POST', body: new Uint8Array(png) })
    expect(response.status).toBe(401)
    expect(uploads()).toEqual([])
  })

  it('stores the received part of an interrupted body, reports its size, and continues', async () => {
    await breakOff(`/api/chat/files?groupId=${groupId}&fileName=a.txt`, large, 600_000)
    const [uploadId = ''] = uploads()
    const eve = await fetchAs('eve', `/api/chat/files/uploads/${uploadId}`)
    expect(eve.status).toBe(404)
    // The rest is sufficient; the whole file would be accepted as well.
    const rest = await post('ana', large.subarray(600_000), {
      uploadId: uploadId as string,
      fileName: 'a.txt',
    })
    expect([rest.status, rest.body.sha256]).toEqual([201, hashOf(large)])
  })

  it('accepts parts in separate requests, and the whole file if some of it is stored', async () => {
    const begun = await post('ana', Buffer.alloc(0), { fileSize: large.length })
    expect(begun.status).toBe(202)
    const { uploadId } = begun.body
    const part = await post('ana', large.subarray(0, 500_000), { uploadId, offset: 0 })
    expect([part.status, part.body]).toEqual([202, { uploadId, received: 500_000, size: large.length }])
    const gap = await post('ana', large.subarray(600_000), { uploadId })
    expect([gap.status, gap.body.error.field]).toEqual([400, 'offset'])
    const whole = await post('ana', large, { uploadId })
    expect([whole.status, whole.body.sha256]).toEqual([201, hashOf(large)])
    expect((await post('ana', large, { uploadId })).body.fileId).toBe(whole.body.fileId)
  })

  it('reports progress to the sockets of its user', async () => {
    const ana = await rows.device('ana')
    await post('ana', large)
    const progress = ana.events.flatMap((event) => (event.event === 'upload_progress' ? [event.fields] : []))
    expect(progress.at(-1)).toMatchObject({ received: large.length, size: large.length })
  })
})

describe('GET /api/chat/files/:id', () => {
  it('sends the bytes to members, with the content headers', async () => {
    const file = await shown(png, { fileName: 'féria (1).png' })
    const response = await fetchAs('bruno', file.url)
    expect(response.status).toBe(200)
    expect(Buffer.from(await response.arrayBuffer())).toEqual(png)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': '45',
      'content-disposition': `inline; filename="f_ria (1).png"; filename*=UTF-8''f%C3%A9ria%20%281%29.png`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      'cache-control': expect.stringMatching(/^private, .*immutable/),
      'accept-ranges': 'bytes',
      etag: `"${file.sha256}"`,
    })
  })

  it('accepts the token in the query, for images in pages', async () => {
    const file = await shown(png)
    const response = await fetch(`${rows.server.url}${file.url}?token=${await rows.tokenOf('bruno')}`)
    expect(response.status).toBe(200)
    expect((await fetch(`${rows.server.url}${file.url}`)).status).toBe(401)
  })

  it('refuses strangers, members before a message shows the file, and everyone after its recall', async () => {
    const { body: file } = await post('ana', png)
    expect((await fetchAs('eve', file.url)).status).toBe(404)
    expect((await fetchAs('bruno', file.url)).status).toBe(404)
    expect((await fetchAs('ana', file.url)).status).toBe(200)
    const ana = await rows.device('ana')
    const messageId = await ana.post(groupId, '', { type: 'image', fileId: file.fileId })
    expect((await fetchAs('bruno', file.url)).status).toBe(200)
    await ana.get('recall_message', { messageId }, 'ok')
    expect((await fetchAs('bruno', file.url)).status).toBe(404)
    expect((await fetchAs('ana', file.url)).status).toBe(404)
  })

  it.each<[string, Buffer, string, string]>([
    ['SVG', Buffer.from('<svg onload="alert(1)"></svg>'), 'image/svg+xml', 'attachment'],
    ['HTML', Buffer.from('<script>alert(1)</script>'), 'text/html; charset=utf-8', 'attachment'],
    ['text', Buffer.from('olá'), 'text/plain; charset=utf-8', 'inline'],
    ['unknown bytes', Buffer.from([0, 1, 250]), 'application/octet-stream', 'attachment'],
  ])('gives %s out in a way that does no harm', async (_, bytes, type, disposition) => {
    const file = await shown(bytes, { mimeType: type.split(';')[0] as string })
    const { headers } = await fetchAs('bruno', file.url)
    expect(headers.get('content-type')).toBe(type)
    expect(headers.get('content-disposition')?.split(';')[0]).toBe(disposition)
  })

  it.each<[string, Record<string, string>, number, string | null, number]>([
    ['the beginning', { range: 'bytes=0-9' }, 206, 'bytes 0-9/1500000', 10],
    ['a part over several reads', { range: 'bytes=100-299999' }, 206, 'bytes 100-299999/1500000', 299_900],
    ['the end', { range: 'bytes=-5' }, 206, 'bytes 1499995-1499999/1500000', 5],
    ['from somewhere on', { range: 'bytes=1499000-' }, 206, 'bytes 1499000-1499999/1500000', 1_000],
    ['more than there is', { range: 'bytes=1499990-9999999' }, 206, 'bytes 1499990-1499999/1500000', 10],
    ['beyond its end', { range: 'bytes=1500000-' }, 416, 'bytes */1500000', -1],
    ['several ranges', { range: 'bytes=0-1,5-6' }, 200, null, 1_500_000],
    ['what is no range', { range: 'lines=1-2' }, 200, null, 1_500_000],
    ['a range of another version', { range: 'bytes=0-9', 'if-range': '"other"' }, 200, null, 1_500_000],
    [
      'a range of this version',
      { range: 'bytes=0-9', 'if-range': `"${hashOf(large)}"` },
      206,
      'bytes 0-9/1500000',
      10,
    ],
  ])('gives %s', async (_, headers, status, contentRange, length) => {
    const file = await shown(large)
    const response = await fetchAs('bruno', file.url, { headers })
    const body = Buffer.from(await response.arrayBuffer())
    expect([response.status, response.headers.get('content-range')]).toEqual([status, contentRange])
    if (length < 0) return
    const start = Number(/^bytes (\d+)/.exec(contentRange ?? '')?.[1] ?? 0)
    expect(body.equals(large.subarray(start, start + length))).toBe(true)
  })

  it('answers 304 if the client has it, and HEAD without a body', async () => {
    const file = await shown(large)
    const known = await fetchAs('bruno', file.url, {
      headers: { 'if-none-match': `W/"x", "${file.sha256}"` },
    })
    expect([known.status, known.headers.get('etag'), await known.text()]).toEqual([
      304,
      `"${file.sha256}"`,
      '',
    ])
    expect(known.headers.get('content-length')).toBeNull()
    const head = await fetchAs('bruno', file.url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '1500000', ''])
  })

  it('sends an empty file', async () => {
    const file = await shown(Buffer.alloc(0))
    const response = await fetchAs('bruno', file.url)
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  it('closes the file when its reader disconnects in the middle', async () => {
    const file = await shown(large)
    const socket = connect(rows.server.port, '127.0.0.1')
    const token = await rows.tokenOf('bruno')
    socket.write(`GET ${file.url}?token=${token} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    expect((await fetchAs('bruno', file.url)).status).toBe(200)
  })
})
