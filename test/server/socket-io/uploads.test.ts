/**
 * Files of Socket.IO clients: `upload_file` in every form that apps send, large files in pieces, and the
 * limits of both (SIO-1).
 */
import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Server, ServerOptions } from '../../../server/server.ts'
import { transports } from '../../support/transports.ts'
import { startServer, tokenOf } from '../operation/server.ts'
import { type Client, connect, groupOf, type Payload } from './clients.ts'

const cases = transports.flatMap(({ name }) =>
  (['websocket', 'polling'] as const).map((way) => [name, way] as const),
)
const bytes = Buffer.from('hello list')
const base64 = bytes.toString('base64')

/** The hash of the stored file. */
async function download(server: Server, file: Payload): Promise<string> {
  const headers = { authorization: `Bearer ${await tokenOf('ana')}` }
  const response = await fetch(`http://127.0.0.1:${server.port}${file['url']}`, { headers })
  expect(response.status).toBe(200)
  return sha256(new Uint8Array(await response.arrayBuffer()))
}

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

const accepted: readonly (readonly [form: string, file: unknown])[] = [
  ['an attachment', bytes],
  ['an ArrayBuffer', new Uint8Array(bytes).buffer],
  ['base64', base64],
  ['base64 without padding, in lines', `${base64.slice(0, 4)}\r\n${base64.slice(4).replaceAll('=', '')}`],
  ['a data URL', `data:text/plain;base64,${base64}`],
  ['a data URL that is not base64', 'data:text/plain;charset=utf-8,hello%20list'],
  ['a list of bytes', [...bytes]],
  ['the JSON of a Buffer', bytes.toJSON()],
]

const refused: readonly (readonly [form: string, file: unknown, code: string, field: string])[] = [
  ['a number', 17, 'bad_request', 'file'],
  ['nothing', null, 'bad_request', 'file'],
  ['a text that is not base64', 'not base64!', 'bad_request', 'file'],
  ['base64 of no bytes', 'aGVsbA==x', 'bad_request', 'file'],
  ['a data URL with a broken escape', 'data:text/plain,%ZZ', 'bad_request', 'file'],
  ['a list with a number above 255', [104, 256], 'bad_request', 'file'],
  ['a list with a text', [104, 'x'], 'bad_request', 'file'],
  // Dart: a Uint8List that is a view is sent as its whole buffer.
  ['the whole buffer of a view', Buffer.concat([Buffer.alloc(54), bytes]), 'bad_file', 'fileSize'],
]

describe.each(cases)('server on %s, clients over %s', (transport, way) => {
  async function start(given: ServerOptions = {}): Promise<{ server: Server; ana: Client }> {
    const server = await startServer({ transport, ...given })
    // With uWebSockets.js the largest messages are for clients whose handshake has a token.
    const extraHeaders = { authorization: `Bearer ${await tokenOf('ana')}` }
    const ana = await connect(server, 'ana', { transports: [way], extraHeaders })
    await groupOf(ana, 'kitchen', ['ben'])
    return { server, ana }
  }

  it('upload_file accepts a file in every form, with and without a size', async () => {
    const { server, ana } = await start()
    for (const [form, file] of accepted) {
      for (const fileSize of [10, '10', null]) {
        const answer = await ana.ask('upload_file', { fileName: 'a.txt', file, fileSize, groupId: 'kitchen' })
        expect(answer, form).toMatchObject({ success: true, file: { size: 10, sha256: sha256(bytes) } })
        expect(await download(server, answer['file'] as Payload)).toBe(sha256(bytes))
      }
    }
  })

  it('upload_file refuses what is no file, or another one than announced', async () => {
    const { ana } = await start()
    for (const [form, file, code, field] of refused) {
      const given = { fileName: 'a.txt', file, fileSize: 10, groupId: 'kitchen', tempId: form }
      expect(await ana.ask('upload_file', given), form).toMatchObject({ success: false, code, field })
      expect(await ana.next('message_error')).toMatchObject({ tempId: form, code, field })
    }
    expect(await ana.ask('get_history', 'kitchen')).toMatchObject({ messages: [] })
  })

  it('upload_file posts with the text, the reply and the mentions that are given, as the type of its content', async () => {
    const { ana } = await start()
    await ana.ask('send_message', { groupId: 'kitchen', content: 'first' })
    const pixel =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const given = { fileName: 'p.png', file: `data:image/png;base64,${pixel}`, groupId: 'kitchen' }
    const beside = { content: 'look @ben', replyToId: 'kitchen:2', mentions: ['ben'] }
    const { message } = await ana.ask('upload_file', { ...given, ...beside })
    const file = { mimeType: 'image/png', width: 1, height: 1 }
    expect(message).toMatchObject({ ...beside, type: 'image', file })
  })

  it('upload_file stores files of every size up to the largest message that the server announces', async () => {
    const { server, ana } = await start()
    const largest = maxPayloadOf(ana)
    // As base64 in a body of long polling; the packet needs some bytes, too.
    const limit = Math.min(way === 'polling' ? Math.floor(largest * 0.75) - 1_024 : largest, 4_000_000)
    for (const size of [49_152, 49_153, 65_536, 300_000, limit]) {
      const file = randomBytes(size)
      const answer = await ana.ask('upload_file', {
        fileName: `${size}.bin`,
        file,
        fileSize: size,
        groupId: 'kitchen',
      })
      expect(answer).toMatchObject({ success: true, file: { size, sha256: sha256(file) } })
      if (size === limit) expect(await download(server, answer['file'] as Payload)).toBe(sha256(file))
    }
  })

  it('several uploads at once are all posted; one too many is refused as overloaded', async () => {
    const { ana } = await start()
    const one = (i: number) =>
      ana.ask('upload_file', { fileName: `${i}.txt`, file: Buffer.alloc(100_000, i), groupId: 'kitchen' })
    const answers = await Promise.all([1, 2, 3, 4, 5].map(one))
    expect(answers.map(({ success }) => success)).toEqual([true, true, true, true, false])
    expect(answers[4]).toMatchObject({ code: 'overloaded', retryAfterMs: expect.any(Number) })
    expect(await one(6)).toMatchObject({ success: true })
  })

  it('upload_begin, upload_chunk and upload_end store a file in attachments, and a message posts it', async () => {
    const { server, ana } = await start()
    const file = randomBytes(2_000_000)
    const given = { fileName: 'film.bin', fileSize: file.length, groupId: 'kitchen', sha256: sha256(file) }
    const { uploadId, received } = await ana.ask('upload_begin', given)
    expect(received).toBe(0)
    for (let offset = 0; offset < file.length; ) {
      const chunk = file.subarray(offset, offset + 60_000)
      const answer = await ana.ask('upload_chunk', { uploadId, offset, chunk })
      offset += chunk.length
      expect(answer).toEqual({ success: true, uploadId, received: offset, size: file.length })
    }
    const stored = await ana.ask('upload_end', uploadId)
    expect(stored).toMatchObject({ success: true, size: file.length, sha256: sha256(file) })
    const { fileId } = stored
    const post = { groupId: 'kitchen', content: 'film', type: 'file', fileId }
    expect(await ana.ask('send_message', post)).toMatchObject({
      success: true,
      message: { file: { fileId } },
    })
    expect(await download(server, stored)).toBe(sha256(file))
  })

  it('an upload continues where it ended, after another connection', async () => {
    const { server, ana } = await start()
    const file = randomBytes(90_000)
    const given = { fileName: 'film.bin', fileSize: file.length, groupId: 'kitchen' }
    const { uploadId } = await ana.ask('upload_begin', given)
    await ana.ask('upload_chunk', { uploadId, offset: 0, chunk: file.subarray(0, 50_000) })
    ana.socket.disconnect()
    const again = await connect(server, 'ana', { transports: [way] })
    expect(await again.ask('upload_begin', { ...given, uploadId })).toMatchObject({
      success: true,
      received: 50_000,
    })
    await again.ask('upload_chunk', { uploadId, offset: 50_000, chunk: file.subarray(50_000) })
    expect(await again.ask('upload_end', { uploadId })).toMatchObject({ success: true, sha256: sha256(file) })
  })

  it('MAX_UPLOAD and STORAGE_QUOTA apply, and a refused file leaves nothing', async () => {
    const { ana } = await start({ maxUpload: 300_000, storageQuota: 500_000 })
    const upload = (size: number) =>
      ana.ask('upload_file', { fileName: 'a.bin', file: Buffer.alloc(size, 1), groupId: 'kitchen' })
    expect(await upload(300_001)).toMatchObject({ success: false, code: 'too_large' })
    expect(await upload(300_000)).toMatchObject({ success: true })
    expect(await upload(200_001)).toMatchObject({ success: false, code: 'quota_exceeded' })
    expect(await upload(200_000)).toMatchObject({ success: true })
    const begin = { fileName: 'b.bin', fileSize: 1, groupId: 'kitchen' }
    expect(await ana.ask('upload_begin', begin)).toMatchObject({ success: false, code: 'quota_exceeded' })
  })
})

/** The largest message that the server announced in its open packet. */
function maxPayloadOf(client: Client): number {
  return (client.socket.io.engine as unknown as { readonly _maxPayload: number })._maxPayload
}
