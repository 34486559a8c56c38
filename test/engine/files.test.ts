import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { modes, temporaryFolder } from '../support/engines.ts'
import { aPng } from '../support/media.ts'
import { collect, refusal } from '../support/sessions.ts'
import { blockWrites } from '../support/storage.ts'

const bytes = Buffer.alloc(150_000, 'tertulia ')
const sha256 = createHash('sha256').update(bytes).digest('hex')

describe.each(modes)('files, $mode', ({ start }) => {
  it('are transferred from one session to another', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const received = collect(bruno, 'new_message')
    const png = aPng(2, 3)
    const file = await ana.uploadFile({ groupId, fileName: 'a.png', file: png, fileSize: png.length })
    const { message } = await ana.sendMessage({
      groupId,
      content: '',
      type: 'image',
      tempId: 't',
      fileId: file.fileId,
    })
    await expect.poll(() => received.length).toBe(1)
    expect([received[0]?.message.file, message.file]).toEqual([file, file])
    const record = await bruno.getFile({ fileId: file.fileId })
    expect(record).toEqual(file)
    const reader = await engine.files.read('ana', record.sha256)
    const into = Buffer.alloc(100)
    expect(into.subarray(0, await reader.read(into, 0))).toEqual(png)
    await reader.close()
    const { messages } = await bruno.getHistory({ groupId })
    expect(messages.at(-1)?.file).toEqual(file)
  })

  it('continue after a restart, and are available after another', async () => {
    const dataDir = temporaryFolder()
    const first = await start({ dataDir })
    const ana = await first.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const announced = { groupId, fileName: 'a.txt', fileSize: bytes.length, sha256 }
    const { uploadId } = await ana.uploadBegin(announced)
    await ana.uploadChunk({ uploadId, offset: 0, chunk: bytes.subarray(0, 100_000) })
    await first.close()
    const second = await start({ dataDir })
    const again = await second.connect({ userId: 'ana' })
    const { received } = await again.uploadBegin({ ...announced, uploadId })
    expect(received).toBe(100_000)
    await again.uploadChunk({ uploadId, offset: received, chunk: bytes.subarray(received) })
    const file = await again.uploadEnd({ uploadId })
    expect(file.sha256).toBe(sha256)
    expect(readdirSync(join(dataDir, 'files', sha256.slice(0, 2)))).toEqual([sha256])
    await second.close()
    const third = await start({ dataDir })
    const later = await third.connect({ userId: 'ana' })
    expect(await later.getFile({ fileId: file.fileId })).toEqual(file)
    expect(await later.uploadEnd({ uploadId })).toEqual(file)
  })

  it('are assembled in order if many chunks are sent at once', async () => {
    const engine = await start()
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const { uploadId } = await ana.uploadBegin({ groupId, fileName: 'a.txt', fileSize: bytes.length })
    const chunks = Array.from({ length: 30 }, (_, i) =>
      ana.uploadChunk({ uploadId, offset: i * 5_000, chunk: bytes.subarray(i * 5_000, (i + 1) * 5_000) }),
    )
    const ended = ana.uploadEnd({ uploadId })
    expect((await Promise.all(chunks)).at(-1)).toEqual({ uploadId, received: 150_000, size: 150_000 })
    expect((await ended).sha256).toBe(sha256)
  })

  it('are not acknowledged while storage fails, and can be completed afterwards', async () => {
    const dataDir = temporaryFolder()
    const engine = await start({ dataDir })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const { uploadId } = await ana.uploadBegin({ groupId, fileName: 'a', fileSize: 3 })
    await ana.uploadChunk({ uploadId, offset: 0, chunk: Buffer.from('abc') })
    const unblock = blockWrites(dataDir)
    await expect(ana.uploadEnd({ uploadId })).rejects.toMatchObject(refusal('storage_unavailable'))
    unblock()
    await expect.poll(() => engine.health().ready).toBe(true)
    const file = await ana.uploadEnd({ uploadId })
    expect(await ana.getFile({ fileId: file.fileId })).toEqual(file)
  })

  it('above the limit are refused', async () => {
    const engine = await start({ maxUploadBytes: 10 })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    expect(ana.connected.limits.maxUploadBytes).toBe(10)
    const tooLarge = refusal('too_large', 'fileSize')
    await expect(ana.uploadBegin({ groupId, fileName: 'a', fileSize: 11 })).rejects.toMatchObject(tooLarge)
    await expect(
      ana.uploadFile({ groupId, fileName: 'a', fileSize: 11, file: Buffer.alloc(11) }),
    ).rejects.toMatchObject(tooLarge)
  })

  // TXT-1
  it('are enough for a message without a text, whatever its type', async () => {
    const engine = await start()
    const [ana, bruno] = [await engine.connect({ userId: 'ana' }), await engine.connect({ userId: 'bruno' })]
    const { groupId } = await ana.createGroup({ kind: 'group', members: ['bruno'] })
    const { fileId } = await ana.uploadFile({ groupId, fileName: 'a', file: Buffer.from('a'), fileSize: 1 })
    const { message } = await ana.sendMessage({ groupId, content: '', tempId: 't', fileId })
    expect(message).toMatchObject({ type: 'text', content: '', file: { fileId } })
    await expect(bruno.sendMessage({ groupId, content: '', tempId: 't', fileId })).rejects.toMatchObject(
      refusal('not_found', 'fileId'),
    )
  })

  it('count towards the quota of their uploader until they are deleted', async () => {
    const engine = await start({ storageQuotaBytes: 100 })
    const ana = await engine.connect({ userId: 'ana' })
    const { groupId } = await ana.createGroup({ kind: 'group' })
    const upload = (size: number, fill: string) =>
      ana.uploadFile({ groupId, fileName: 'a.txt', file: Buffer.alloc(size, fill), fileSize: size })
    const { fileId } = await upload(60, 'a')
    await expect(upload(60, 'b')).rejects.toMatchObject(refusal('quota_exceeded'))
    const begin = { groupId, fileName: 'b.txt', fileSize: 60 }
    await expect(ana.uploadBegin(begin)).rejects.toMatchObject(refusal('quota_exceeded'))
    const { message } = await ana.sendMessage({ groupId, content: '', type: 'file', tempId: 't', fileId })
    await ana.deleteMessage({ messageId: message.messageId })
    await upload(60, 'b')
  })
})
