import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import { aPng } from '../../support/media.ts'
import { type Rows, startRows, wires } from './harness.ts'

const png = aPng(12, 34)
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe.each(wires)('files, $wire', ({ protocol }) => {
  let rows: Rows
  beforeEach(async () => {
    rows = await startRows(protocol, { maxUpload: 200_000 })
  })

  /** Bytes as the subprotocol encodes them: JSON uses base64. */
  const bytes = (of: Uint8Array): Uint8Array =>
    protocol === subprotocols.json ? (Buffer.from(of).toString('base64') as never) : of

  /** Ana and Bruno in a group, and Eve outside it. */
  async function kitchen() {
    const [ana, bruno, eve] = [await rows.device('ana'), await rows.device('bruno'), await rows.device('eve')]
    const groupId = await ana.group({ members: ['bruno'] })
    const whole = (of: Uint8Array = png, more: object = {}) => ({
      fileName: 'photo.png',
      file: bytes(of),
      fileSize: of.length,
      groupId,
      ...more,
    })
    return { ana, bruno, eve, groupId, whole }
  }

  describe('upload_file', () => {
    it('stores a file from one frame, with the type of its bytes', async () => {
      const { ana, groupId, whole } = await kitchen()
      const file = await ana.get('upload_file', whole(png, { mimeType: 'text/html' }), 'file_uploaded')
      expect(file).toMatchObject({
        fileName: 'photo.png',
        mimeType: 'image/png',
        size: png.length,
        sha256: hashOf(png),
        width: 12,
        height: 34,
        url: `/api/chat/files/${file.fileId}`,
      })
      expect(file.fileId.startsWith(`${groupId}:f`)).toBe(true)
    })

    it('refuses users who are not members, a wrong size, and values that are not a file', async () => {
      const { ana, eve, whole } = await kitchen()
      expect(await eve.refusal('upload_file', whole())).toBe('not_found groupId')
      expect(await ana.refusal('upload_file', whole(png, { fileSize: 1 }))).toBe('bad_request fileSize')
      expect(await ana.refusal('upload_file', whole(png, { file: 7 }))).toBe('bad_request file')
      expect(await ana.refusal('upload_file', whole(png, { fileName: '' }))).toBe('bad_request fileName')
      expect(await ana.refusal('upload_file', whole(png, { groupId: 'no such group' }))).toBe(
        'bad_request groupId',
      )
      expect(await ana.refusal('upload_file', whole(png, { groupId: 'elsewhere' }))).toBe('not_found groupId')
    })
  })

  describe('upload_begin, upload_chunk, upload_end', () => {
    const large = Buffer.alloc(100_000, 'tertulia ')

    it('store a file in chunks, across a reconnect', async () => {
      const { ana, groupId } = await kitchen()
      const announced = { fileName: 'a.txt', fileSize: large.length, groupId, sha256: hashOf(large) }
      const { uploadId } = await ana.get('upload_begin', announced, 'upload_progress')
      const chunk = (from: number) => bytes(large.subarray(from, from + 40_000))
      expect(
        await ana.get('upload_chunk', { uploadId, offset: 0, chunk: chunk(0) }, 'upload_progress'),
      ).toEqual({ uploadId, received: 40_000, size: 100_000 })
      ana.ws.terminate()
      const again = await rows.device('ana')
      const resumed = await again.get('upload_begin', { ...announced, uploadId }, 'upload_progress')
      expect(resumed).toEqual({ uploadId, received: 40_000, size: 100_000 })
      for (const offset of [40_000, 80_000]) {
        await again.get('upload_chunk', { uploadId, offset, chunk: chunk(offset) }, 'upload_progress')
      }
      const file = await again.get('upload_end', { uploadId }, 'file_uploaded')
      expect(file).toMatchObject({ mimeType: 'text/plain', size: 100_000, sha256: hashOf(large) })
      expect(await again.get('upload_end', { uploadId }, 'file_uploaded')).toEqual(file)
    })

    it('refuse a stranger, a file that is too large, a gap, missing bytes, and other bytes', async () => {
      const { ana, bruno, eve, groupId } = await kitchen()
      const announced = { fileName: 'a.txt', fileSize: 4, groupId }
      expect(await eve.refusal('upload_begin', announced)).toBe('not_found groupId')
      expect(await ana.refusal('upload_begin', { ...announced, fileSize: 200_001 })).toBe(
        'too_large fileSize',
      )
      expect(await ana.refusal('upload_begin', { ...announced, uploadId: '../x' })).toBe('not_found uploadId')
      expect(await ana.refusal('upload_begin', { ...announced, sha256: 'z'.repeat(64) })).toBe(
        'bad_request sha256',
      )
      const sha256 = hashOf(Buffer.from('abcd'))
      const { uploadId } = await ana.get('upload_begin', { ...announced, sha256 }, 'upload_progress')
      const chunk = (text: string) => bytes(Buffer.from(text))
      expect(await ana.refusal('upload_chunk', { uploadId, offset: 2, chunk: chunk('cd') })).toBe(
        'bad_request offset',
      )
      expect(await ana.refusal('upload_chunk', { uploadId, offset: 0, chunk: chunk('abcde') })).toBe(
        'bad_request chunk',
      )
      expect(await bruno.refusal('upload_chunk', { uploadId, offset: 0, chunk: chunk('a') })).toBe(
        'not_found uploadId',
      )
      expect(await ana.refusal('upload_end', { uploadId })).toBe('bad_file')
      await ana.get('upload_chunk', { uploadId, offset: 0, chunk: chunk('abXd') }, 'upload_progress')
      expect(await ana.refusal('upload_end', { uploadId })).toBe('bad_file sha256')
      expect(await ana.refusal('upload_end', { uploadId })).toBe('not_found uploadId')
      expect(await ana.refusal('upload_end', { uploadId: 7 })).toBe('bad_request uploadId')
    })

    it('refuse to end an upload of a user who left the group', async () => {
      const { ana, bruno, groupId } = await kitchen()
      const { uploadId } = await bruno.get(
        'upload_begin',
        { fileName: 'a.txt', fileSize: 1, groupId },
        'upload_progress',
      )
      await bruno.get(
        'upload_chunk',
        { uploadId, offset: 0, chunk: bytes(Buffer.from('a')) },
        'upload_progress',
      )
      await ana.get('remove_member', { groupId, userId: 'bruno' }, 'ok')
      expect(await bruno.refusal('upload_end', { uploadId })).toBe('not_found groupId')
    })

    it('refuse the ninth concurrent upload', async () => {
      const { ana, groupId } = await kitchen()
      const announced = { fileName: 'a.txt', fileSize: 1, groupId }
      for (let i = 0; i < 8; i++) await ana.get('upload_begin', announced, 'upload_progress')
      expect(await ana.refusal('upload_begin', announced)).toBe('limit_reached')
    })
  })

  describe('get_file', () => {
    it('is allowed for the uploader until a message shows the file, then for members, and for nobody after its recall', async () => {
      const { ana, bruno, eve, groupId, whole } = await kitchen()
      const file = await ana.get('upload_file', whole(), 'file_uploaded')
      const { fileId } = file
      expect(await ana.get('get_file', { fileId }, 'file')).toEqual({ file })
      expect(await bruno.refusal('get_file', { fileId })).toBe('not_found fileId')
      const messageId = await ana.post(groupId, 'look', { type: 'image', fileId })
      expect((await bruno.next('new_message')).fields.message.file).toEqual(file)
      expect(await bruno.get('get_file', { fileId }, 'file')).toEqual({ file })
      expect(await eve.refusal('get_file', { fileId })).toBe('not_found groupId')
      await ana.get('recall_message', { messageId }, 'ok')
      for (const device of [ana, bruno]) {
        expect(await device.refusal('get_file', { fileId })).toBe('not_found fileId')
      }
      expect(await ana.refusal('send_message', { groupId, content: 'x', tempId: 'again', fileId })).toBe(
        'not_found fileId',
      )
    })

    it('is allowed as long as one message shows the file', async () => {
      const { ana, bruno, groupId, whole } = await kitchen()
      const { fileId } = await ana.get('upload_file', whole(), 'file_uploaded')
      const one = await ana.post(groupId, 'one', { type: 'image', fileId })
      const two = await ana.post(groupId, 'two', { type: 'image', fileId })
      await ana.get('delete_message', { messageId: one }, 'ok')
      await bruno.get('get_file', { fileId }, 'file')
      await ana.get('delete_message', { messageId: two }, 'ok')
      expect(await bruno.refusal('get_file', { fileId })).toBe('not_found fileId')
    })

    it('refuses an unknown id and a malformed one', async () => {
      const { ana, groupId } = await kitchen()
      expect(await ana.refusal('get_file', { fileId: `${groupId}:f${'0'.repeat(26)}` })).toBe(
        'not_found fileId',
      )
      expect(await ana.refusal('get_file', { fileId: `${groupId}:7` })).toBe('bad_request fileId')
    })
  })

  it('report the maximum size of a file in `connected`', async () => {
    const device = await rows.device('ana')
    const connected = device.events.find(({ event }) => event === 'connected')
    expect(connected?.fields).toMatchObject({ limits: { maxUploadBytes: 200_000 } })
  })
})
