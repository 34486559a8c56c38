import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DiskAccess } from '../../../engine/files/file-access.ts'
import { FileFolder, prepareFolder } from '../../../engine/files/file-folder.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { aFileStore } from '../../support/file-store.ts'
import { refusal } from '../../support/sessions.ts'

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a crash', () => {
  it('before the bytes have their final name leaves no content, and the upload can be ended later', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(2)
    await files.append(uploadId, 0, Buffer.from('ab'))
    const hash = hashOf(Buffer.from('ab'))
    // The folder of the content cannot be created, so that the call stops there.
    writeFileSync(files.folder.contentFolder(hash), '')
    await expect(files.end(uploadId)).rejects.toThrow()
    expect(existsSync(files.folder.content(hash))).toBe(false)
    rmSync(files.folder.contentFolder(hash))
    const next = aFileStore(files.dataDir)
    expect(await next.end(uploadId)).toMatchObject({ file: { sha256: hash }, again: true })
    expect(readFileSync(next.folder.content(hash), 'utf8')).toBe('ab')
    expect(readdirSync(next.folder.partial)).toEqual([`${uploadId}.kept`])
  })

  it('in the middle of a write only loses bytes, and its lock is removed at the next start', async () => {
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

  it('that damaged the announcement makes only this upload unknown', async () => {
    const files = aFileStore()
    const { uploadId } = await files.begin(4)
    writeFileSync(files.folder.ofUpload(uploadId, 'json'), '{"userId": 7}')
    await expect(files.append(uploadId, 0, Buffer.from('a'))).rejects.toMatchObject(refusal('not_found'))
  })

  it('while content was renamed aside restores it', () => {
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

describe('a stream from another thread', () => {
  it('locks the upload, leaves its hash, and lets others continue it', async () => {
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
    const reader = await access.read('ana', file.sha256)
    const into = Buffer.alloc(4)
    expect([await reader.read(into, 3), into.toString('utf8', 0, 3)]).toEqual([3, 'def'])
    await reader.close()
    expect(access.streams).toBe(0)
  })

  it('is only for the user of the upload', async () => {
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
    await expect(access.read('ana', hashOf(Buffer.from('x')))).rejects.toMatchObject(refusal('not_found'))
    expect(access.streams).toBe(0)
  })

  it('counts towards a limit of streams per user (OVL-1)', async () => {
    const files = aFileStore()
    const access = new DiskAccess(files.dataDir, () => {})
    const { file } = await files.keep(Buffer.from('hello'))
    const readers = await Promise.all(Array.from({ length: 16 }, () => access.read('ana', file.sha256)))
    await expect(access.read('ana', file.sha256)).rejects.toMatchObject(refusal('rate_limited'))
    const { uploadId } = await files.begin(6)
    await expect(access.write('ana', uploadId)).rejects.toMatchObject(refusal('rate_limited'))
    readers.push(await access.read('bruno', file.sha256))
    expect(access.streams).toBe(17)
    await readers.shift()?.close()
    readers.push(await access.read('ana', file.sha256))
    for (const reader of readers) await reader.close()
    expect(access.streams).toBe(0)
  })
})
