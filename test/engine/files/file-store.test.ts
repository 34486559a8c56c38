import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DiskAccess } from '../../../engine/files/file-access.ts'
import type { AnnouncedFile } from '../../../engine/files/file-calls.ts'
import { FileFolder, prepareFolder } from '../../../engine/files/file-folder.ts'
import { FileStore } from '../../../engine/files/file-store.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { aPng } from '../../support/media.ts'
import { refusal } from '../../support/sessions.ts'

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A store in a folder, as a process would start it, and calls in short. */
function aFileStore(dataDir = temporaryFolder()) {
  const folder = new FileFolder(dataDir)
  prepareFolder(folder)
  const clock = { nowMs: 1_000 }
  const store = new FileStore({ dataDir, maxUploadBytes: 1_000_000, now: () => clock.nowMs })
  onTestFinished(() => store.close())
  let ids = 0
  const newId = () => `${String(Date.now())}${String(ids++).padStart(8, '0')}`
  return {
    store,
    dataDir,
    folder,
    clock,
    begin: (size: number, more: Partial<AnnouncedFile> & { uploadId?: string; userId?: string } = {}) => {
      const { uploadId, userId = 'ana', ...rest } = more
      const announced = { groupId: 'g', fileName: 'a.bin', size, ...rest }
      return store.run({ call: 'begin', userId, announced, uploadId, newId: newId(), now: 5 })
    },
    append: (uploadId: string, offset: number, bytes: Uint8Array, userId = 'ana') =>
      store.run({ call: 'append', userId, uploadId, offset, bytes }),
    end: (uploadId: string, userId = 'ana') =>
      store.run({ call: 'end', userId, uploadId, newId: newId(), now: 5 }),
    keep: (bytes: Uint8Array) => {
      const announced = { groupId: 'g', fileName: 'a.bin', size: bytes.length }
      return store.run({ call: 'keep', userId: 'ana', announced, bytes, newId: newId(), now: 5 })
    },
  }
}

/** All files under `files/`, by their names. */
function contents({ path }: FileFolder): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('/') && !name.startsWith('partial'))
    .sort()
}

describe('an upload', () => {
  it('comes in chunks and is kept under the hash of its bytes', async () => {
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

  it('in one piece is kept the same way, and nothing else is left of it but what it became', async () => {
    const files = aFileStore()
    const { file } = await files.keep(Buffer.from('hello'))
    expect(contents(files.folder)).toEqual([`${file.sha256.slice(0, 2)}/${file.sha256}`])
    expect(readdirSync(files.folder.partial)).toEqual([expect.stringMatching(/\.kept$/)])
  })

  it('that was sent before is answered with where it is, and a gap is refused', async () => {
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

  it('takes chunks that were sent without waiting, in their order', async () => {
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

  it('is gone on with after its connection broke, after a sweep, and in another process', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(6)
    await files.append(uploadId, 0, Buffer.from('ab'))
    expect(await files.begin(6, { uploadId })).toEqual({ uploadId, received: 2, size: 6 })
    await files.append(uploadId, 2, Buffer.from('cd'))
    files.clock.nowMs += 60_001
    files.store.sweep()
    await files.store.close()
    expect(files.store.openUploads).toBe(0)
    const next = aFileStore(files.dataDir)
    expect(await next.begin(6, { uploadId })).toMatchObject({ received: 4 })
    await next.append(uploadId, 4, Buffer.from('ef'))
    expect((await next.end(uploadId)).file.sha256).toBe(hashOf(Buffer.from('abcdef')))
  })

  it('that is ended again is the same file, also in another process', async () => {
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

  it('is nobody else’s', async () => {
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

  it('is refused where it is too large, one too many, or not what it was begun as', async () => {
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

  it('is not ended before all is there, and goes where its hash is not the one announced', async () => {
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

  it('of the same bytes as another lies there once', async () => {
    const files = aFileStore()
    const [one, two] = [await files.keep(Buffer.from('same')), await files.keep(Buffer.from('same'))]
    expect(one.file.fileId).not.toBe(two.file.fileId)
    expect(contents(files.folder)).toHaveLength(1)
  })
})

describe('a crash', () => {
  it('before the bytes have their name leaves nothing under it, and the upload can be ended', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(2)
    await files.append(uploadId, 0, Buffer.from('ab'))
    const hash = hashOf(Buffer.from('ab'))
    // The folder of the content cannot be made: as far as it gets.
    writeFileSync(files.folder.contentFolder(hash), '')
    await expect(files.end(uploadId)).rejects.toThrow()
    expect(existsSync(files.folder.content(hash))).toBe(false)
    rmSync(files.folder.contentFolder(hash))
    const next = aFileStore(files.dataDir)
    expect(await next.end(uploadId)).toMatchObject({ file: { sha256: hash }, again: true })
    expect(readFileSync(next.folder.content(hash), 'utf8')).toBe('ab')
    expect(readdirSync(next.folder.partial)).toEqual([`${uploadId}.kept`])
  })

  it('in the middle of a write is nothing but fewer bytes, and its lock is gone at the next start', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(4)
    await files.append(uploadId, 0, Buffer.from('abcd'))
    await files.store.close()
    writeFileSync(files.folder.ofUpload(uploadId, 'part'), 'abc')
    writeFileSync(files.folder.ofUpload(uploadId, 'lock'), '')
    writeFileSync(`${files.folder.ofUpload(uploadId, 'json')}.new`, '{"half":')
    const next = aFileStore(files.dataDir)
    expect(await next.begin(4, { uploadId })).toMatchObject({ received: 3 })
    await next.append(uploadId, 3, Buffer.from('d'))
    expect((await next.end(uploadId)).file.sha256).toBe(hashOf(Buffer.from('abcd')))
  })

  it('that damaged what was announced makes the upload unknown, not the server', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(4)
    writeFileSync(files.folder.ofUpload(uploadId, 'json'), '{"userId": 7}')
    await expect(files.append(uploadId, 0, Buffer.from('a'))).rejects.toMatchObject(refusal('not_found'))
  })

  it('while content lay aside puts it back', () => {
    const dataDir = temporaryFolder()
    const folder = new FileFolder(dataDir)
    prepareFolder(folder)
    const hash = hashOf(Buffer.from('ab'))
    mkdirSync(folder.contentFolder(hash))
    writeFileSync(join(folder.partial, `${hash}.old`), 'ab')
    prepareFolder(folder)
    expect(readFileSync(folder.content(hash), 'utf8')).toBe('ab')
  })
})

describe('a stream from outside', () => {
  it('has the upload to itself, leaves its hash behind, and lets others go on with it', async () => {
    const files = aFileStore()
    const access = new DiskAccess(files.dataDir, () => {})
    const { uploadId } = await files.begin(6)
    await files.append(uploadId, 0, Buffer.from('ab'))
    await expect(access.write('ana', uploadId)).rejects.toMatchObject(refusal('overloaded'))
    await files.begin(6, { uploadId })
    const stream = await access.write('ana', uploadId)
    expect(stream).toMatchObject({ received: 2, size: 6 })
    await expect(files.append(uploadId, 2, Buffer.from('xx'))).rejects.toMatchObject(refusal('overloaded'))
    await stream.write(Buffer.from('cdef'))
    await expect(stream.write(Buffer.from('g'))).rejects.toMatchObject(refusal('too_large'))
    await stream.close()
    expect(await access.progress('ana', uploadId)).toEqual({ uploadId, received: 6, size: 6 })
    const { file } = await files.end(uploadId)
    expect(file.sha256).toBe(hashOf(Buffer.from('abcdef')))
    const reader = await access.read(file.sha256)
    const into = Buffer.alloc(4)
    expect([await reader.read(into, 3), into.toString('utf8', 0, 3)]).toEqual([3, 'def'])
    await reader.close()
    expect(access.streams).toBe(0)
  })

  it('is only for whose upload it is', async () => {
    const files = aFileStore()
    const access = new DiskAccess(files.dataDir, () => {})
    const { uploadId } = await files.begin(6)
    for (const [userId, id] of [
      ['eve', uploadId],
      ['ana', '../x'],
    ] as const) {
      await expect(access.write(userId, id)).rejects.toMatchObject(refusal('not_found', 'uploadId'))
      await expect(access.progress(userId, id)).rejects.toMatchObject(refusal('not_found', 'uploadId'))
    }
    await expect(access.read(hashOf(Buffer.from('x')))).rejects.toMatchObject(refusal('not_found'))
    expect(access.streams).toBe(0)
  })
})
