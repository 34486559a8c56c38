import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/engines.ts'
import { ServerProcess, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'

/** The limit of a file in KiB: equivalent to a full disk, and can be lifted. */
const FILE_LIMIT_KB = 800

describe.skipIf(process.platform !== 'linux')('a full disk during an upload', () => {
  it('is reported to the uploader only, who continues when space is available', async () => {
    const limited = `trap '' XFSZ; ulimit -S -f ${FILE_LIMIT_KB}; exec "$0" "$@"`
    const command = ['bash', '-c', limited, process.execPath, ServerProcess.main, 'serve']
    const server = await ServerProcess.run(command, temporaryFolder())
    const ana = new SocketClient(server.port, { token: await tokenOf('ana') })
    await ana.next('connected')
    ana.send('create_group', 1, { kind: 'group' })
    const { groupId } = (await ana.next('group')).fields.group
    const bytes = Buffer.alloc(2_000_000, 'tertulia ')
    const fields = { groupId, fileName: 'a.txt', fileSize: bytes.length }
    ana.send('upload_begin', 2, fields)
    const { uploadId } = (await ana.next('upload_progress')).fields

    const upload = async () => {
      const query = new URLSearchParams({ groupId, fileName: 'a.txt', uploadId })
      const headers = { authorization: `Bearer ${await tokenOf('ana')}` }
      const url = `http://127.0.0.1:${server.port}/api/chat/files?${query}`
      const response = await fetch(url, { method: 'POST', body: new Uint8Array(bytes), headers })
      return { status: response.status, body: await response.json() }
    }
    const refused = await upload()
    expect([refused.status, refused.body.error.code]).toEqual([503, 'storage_unavailable'])
    // Chunks behave the same.
    ana.send('upload_chunk', 3, { uploadId, offset: 819_200, chunk: bytes.subarray(819_200, 860_000) })
    expect((await ana.next('error')).fields).toMatchObject({ code: 'storage_unavailable' })
    ana.send('send_message', 4, { groupId, content: 'still here', tempId: 't' })
    await ana.next('message_sent')

    execFileSync('prlimit', ['--pid', String(server.pid), '--fsize=unlimited'])
    // The socket releases the upload.
    ana.send('upload_begin', 5, { ...fields, uploadId })
    expect((await ana.next('upload_progress')).fields).toMatchObject({ received: 819_200 })
    const { status, body } = await upload()
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect([status, body.sha256]).toEqual([201, sha256])
    ana.ws.terminate()
  })
})

describe('kill -9 in the middle of an upload', () => {
  it('leaves the received bytes, so that the upload can continue, and no partial file under a final name', async () => {
    const dataDir = temporaryFolder()
    const bytes = Buffer.alloc(300_000, 'tertulia ')
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const server = await ServerProcess.start(dataDir)
    const ana = new SocketClient(server.port, { token: await tokenOf('ana') })
    await ana.next('connected')
    ana.send('create_group', 1, { kind: 'group' })
    const { groupId } = (await ana.next('group')).fields.group
    const fields = { groupId, fileName: 'a.txt', fileSize: bytes.length, sha256 }
    ana.send('upload_begin', 2, fields)
    const { uploadId } = (await ana.next('upload_progress')).fields
    for (let offset = 0; offset < 250_000; offset += 50_000) {
      ana.send('upload_chunk', 3, { uploadId, offset, chunk: bytes.subarray(offset, offset + 50_000) })
    }
    await ana.next('upload_progress')
    await server.kill()

    const folders = readdirSync(join(dataDir, 'files')).filter((name) => name !== 'partial')
    expect(folders).toEqual([])
    const again = await ServerProcess.start(dataDir)
    const back = new SocketClient(again.port, { token: await tokenOf('ana') })
    await back.next('connected')
    back.send('upload_begin', 4, { ...fields, uploadId })
    const { received } = (await back.next('upload_progress')).fields
    expect(received).toBeGreaterThanOrEqual(50_000)
    for (let offset = received; offset < bytes.length; offset += 50_000) {
      back.send('upload_chunk', 5, { uploadId, offset, chunk: bytes.subarray(offset, offset + 50_000) })
    }
    back.send('upload_end', 6, { uploadId })
    expect((await back.next('file_uploaded')).fields).toMatchObject({ sha256, size: 300_000 })
    back.ws.terminate()
  })
})
