import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, utimesSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { aFileStore, contents } from '../../support/file-store.ts'
import { aPng } from '../../support/media.ts'
import { refusal } from '../../support/sessions.ts'

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('an upload', () => {
  it('arrives in chunks and is stored under the hash of its bytes', async () => {
    const files = aFileStore()
    const bytes = aPng(3, 4)
    const { uploadId } = await files.begin(bytes.length, { mimeType: 'text/plain' })
    expect(await files.append(uploadId, 0, bytes.subarray(0, 10))).toEqual({
      uploadId,
      received: 10,
      size: 45,
    })
    expect(await files.append(uploadId, 10, bytes.subarray(10))).toMatchObject({ received: 45 })
    const { file, groupId, again } = await files.end(uploadId)
    expect({ groupId, again }).toEqual({ groupId: 'g', again: false })
    expect(file).toMatchObject({
      mimeType: 'image/png',
      size: 45,
      sha256: hashOf(bytes),
      width: 3,
      height: 4,
    })
    expect(file.fileId).toMatch(/^g:f[0-9a-z]{16,40}$/)
    expect(file.url).toBe(`/api/chat/files/${file.fileId}`)
    expect(readFileSync(files.folder.content(file.sha256))).toEqual(bytes)
  })

  it('in one piece is stored the same way, and leaves no other file', async () => {
    const files = aFileStore()
    const { file } = await files.keep(Buffer.from('hello'))
    expect(contents(files.folder)).toEqual([`${file.sha256.slice(0, 2)}/${file.sha256}`])
    expect(readdirSync(files.folder.partial)).toEqual([expect.stringMatching(/\.kept$/)])
  })

  it('answers a repeated chunk with the received size, and refuses a gap', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(10)
    await files.append(uploadId, 0, Buffer.from('abcdef'))
    expect(await files.append(uploadId, 0, Buffer.from('abc'))).toMatchObject({ received: 6 })
    expect(await files.append(uploadId, 4, Buffer.from('efgh'))).toMatchObject({ received: 8 })
    await expect(files.append(uploadId, 9, Buffer.from('j'))).rejects.toMatchObject(
      refusal('bad_request', 'offset'),
    )
    await expect(files.append(uploadId, 8, Buffer.from('ijk'))).rejects.toMatchObject(
      refusal('bad_request', 'chunk'),
    )
    await files.append(uploadId, 8, Buffer.from('ij'))
    expect((await files.end(uploadId)).file.sha256).toBe(hashOf(Buffer.from('abcdefghij')))
  })

  it('accepts chunks that were sent without waiting, in order', async () => {
    const files = aFileStore()
    const bytes = Buffer.from('0123456789'.repeat(10))
    const { uploadId } = await files.begin(100)
    const all = Array.from({ length: 10 }, (_, i) =>
      files.append(uploadId, i * 10, bytes.subarray(i * 10, i * 10 + 10)),
    )
    const ended = files.end(uploadId)
    expect((await Promise.all(all)).map(({ received }) => received)).toEqual([
      10, 20, 30, 40, 50, 60, 70, 80, 90, 100,
    ])
    expect((await ended).file.sha256).toBe(hashOf(bytes))
  })

  it('continues after a lost connection, after a sweep, and in another process', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(6)
    await files.append(uploadId, 0, Buffer.from('ab'))
    expect(await files.begin(6, { uploadId })).toEqual({ uploadId, received: 2, size: 6 })
    await files.append(uploadId, 2, Buffer.from('cd'))
    files.clock.nowMs += 60_001
    files.store.sweep()
    await files.store.close()
    expect(files.store.depths).toEqual({ uploads: 0, uploadBytes: 0 })
    const next = aFileStore(files.dataDir)
    expect(await next.begin(6, { uploadId })).toMatchObject({ received: 4 })
    await next.append(uploadId, 4, Buffer.from('ef'))
    expect((await next.end(uploadId)).file.sha256).toBe(hashOf(Buffer.from('abcdef')))
  })

  it('that is ended again returns the same file, also in another process', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(2)
    await files.append(uploadId, 0, Buffer.from('ab'))
    const { file } = await files.end(uploadId)
    expect(await files.end(uploadId)).toEqual({ groupId: 'g', file, again: true })
    expect(await files.append(uploadId, 0, Buffer.from('ab'))).toMatchObject({ received: 2 })
    expect(await files.begin(2, { uploadId })).toMatchObject({ received: 2 })
    const again = await aFileStore(files.dataDir).end(uploadId)
    expect([again.file.fileId, again.again]).toEqual([file.fileId, true])
  })

  it('is not available to other users', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(2)
    await files.append(uploadId, 0, Buffer.from('a'))
    const strange = refusal('not_found', 'uploadId')
    await expect(files.append(uploadId, 1, Buffer.from('b'), 'eve')).rejects.toMatchObject(strange)
    await expect(files.end(uploadId, 'eve')).rejects.toMatchObject(strange)
    await expect(files.begin(2, { uploadId, userId: 'eve' })).rejects.toMatchObject(strange)
    await files.append(uploadId, 1, Buffer.from('b'))
    await files.end(uploadId)
    await expect(files.end(uploadId, 'eve')).rejects.toMatchObject(strange)
  })

  it.each(['', 'x', '../../etc/passwd', 'u/../x', `u${'0'.repeat(20)}${'0'.repeat(26)}/..`])(
    'is not found by an id that is none: %j',
    async (uploadId) => {
      const files = aFileStore()
      const strange = refusal('not_found', 'uploadId')
      await expect(files.append(uploadId, 0, Buffer.from('a'))).rejects.toMatchObject(strange)
      await expect(files.end(uploadId)).rejects.toMatchObject(strange)
      await expect(files.begin(1, { uploadId })).rejects.toMatchObject(strange)
    },
  )

  it('is refused if it is too large, one too many, or differs from its announcement', async () => {
    const files = aFileStore()
    await expect(files.begin(1_000_001)).rejects.toMatchObject(refusal('too_large', 'fileSize'))
    const begun = await Promise.all(Array.from({ length: 8 }, () => files.begin(3)))
    await expect(files.begin(3)).rejects.toMatchObject(refusal('limit_reached'))
    await files.begin(3, { userId: 'bruno' })
    const { uploadId } = begun[0] as (typeof begun)[number]
    await expect(files.begin(4, { uploadId })).rejects.toMatchObject(refusal('bad_request', 'fileSize'))
    await expect(files.begin(3, { uploadId, groupId: 'h' })).rejects.toMatchObject(
      refusal('bad_request', 'groupId'),
    )
    await files.append(uploadId, 0, Buffer.from('abc'))
    await files.end(uploadId)
    await files.begin(3)
  })

  it('that has been idle for long is replaced by a ninth; other uploads are not', async () => {
    const files = aFileStore()
    files.clock.nowMs = Date.now()
    const begun = []
    for (let i = 0; i < 8; i++) begun.push((await files.begin(3)).uploadId)
    const [stale = '', other = ''] = begun
    utimesSync(files.folder.ofUpload(stale, 'part'), new Date(), new Date(Date.now() - 601_000))
    await files.begin(3)
    await expect(files.append(stale, 0, Buffer.from('a'))).rejects.toMatchObject(refusal('not_found'))
    await files.append(other, 0, Buffer.from('a'))
    await expect(files.begin(3)).rejects.toMatchObject(refusal('limit_reached'))
  })

  it('is not ended before all bytes were received, and is removed if its hash differs from the announced one', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(2, { sha256: hashOf(Buffer.from('ab')).toUpperCase() })
    await files.append(uploadId, 0, Buffer.from('a'))
    await expect(files.end(uploadId)).rejects.toMatchObject(refusal('bad_file'))
    await files.append(uploadId, 1, Buffer.from('b'))
    await files.end(uploadId)
    const other = await files.begin(2, { sha256: hashOf(Buffer.from('ab')) })
    await files.append(other.uploadId, 0, Buffer.from('xy'))
    await expect(files.end(other.uploadId)).rejects.toMatchObject(refusal('bad_file', 'sha256'))
    await expect(files.end(other.uploadId)).rejects.toMatchObject(refusal('not_found', 'uploadId'))
    expect(contents(files.folder)).toHaveLength(1)
  })

  it('of the same bytes as another is stored once', async () => {
    const files = aFileStore()
    const [one, two] = [await files.keep(Buffer.from('same')), await files.keep(Buffer.from('same'))]
    expect(one.file.fileId).not.toBe(two.file.fileId)
    expect(contents(files.folder)).toHaveLength(1)
  })
})

describe('the quota of a user', () => {
  it('counts stored and announced bytes, and refuses the rest', async () => {
    const files = aFileStore(undefined, 100)
    await files.begin(40)
    await files.begin(20, { storedBytes: 40 })
    await expect(files.begin(1, { storedBytes: 40 })).rejects.toMatchObject(refusal('quota_exceeded'))
    await expect(files.keep(Buffer.from('hello'), 96)).rejects.toMatchObject(refusal('quota_exceeded'))
    await files.keep(Buffer.from('hello'), 95)
    await files.begin(100, { userId: 'bruno' })
  })

  it('is off if it is 0', async () => {
    const files = aFileStore(undefined, 0)
    await files.begin(1_000_000, { storedBytes: 2 ** 50 })
  })
})
