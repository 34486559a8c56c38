import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import type { File } from '../../protocol/records.ts'
import { temporaryFolder } from '../support/engines.ts'
import { ServerProcess, tokenOf } from '../support/server-process.ts'
import { SocketClient } from '../support/socket-client.ts'
import { transport } from '../support/transports.ts'

const MIB = 1_048_576
const FILE_BYTES = 400 * MIB
/**
 * When V8 collects buffers, and so how many of them wait, is up to its version and the machine. A
 * server that holds the file at once needs all its bytes, and one that does not less than half.
 */
const FEW_BYTES = FILE_BYTES / 2
/** The builds of uWebSockets.js for them read on after a pause (server/http/body-stream.ts). */
const pausesLate = Number.parseInt(process.versions.node, 10) >= 22 && transport.name === 'uws'

/** Resident memory of a process and its peak, in bytes. */
function memory(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
  return { now: kilobytes('VmRSS') * 1_024, most: kilobytes('VmHWM') * 1_024 }
}

async function upload(port: number, groupId: string, bytes: number): Promise<File> {
  const piece = Buffer.alloc(64 * 1_024, 'tertulia ')
  function* pieces() {
    for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, left)
  }
  const headers = { authorization: `Bearer ${await tokenOf('ana')}`, 'content-length': bytes }
  const path = `/api/chat/files?groupId=${groupId}&fileName=large.txt`
  const sent = request({ port, host: '127.0.0.1', method: 'POST', path, headers })
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>
  await pipeline(Readable.from(pieces()), sent)
  const [response] = await answered
  return JSON.parse(Buffer.concat(await response.toArray()).toString())
}

async function download(port: number, { url }: File): Promise<number> {
  const headers = { authorization: `Bearer ${await tokenOf('ana')}` }
  const asked = request({ port, host: '127.0.0.1', path: url, headers }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let bytes = 0
  for await (const piece of response) bytes += (piece as Buffer).length
  return bytes
}

describe.skipIf(pausesLate)('a file of 400 MiB', () => {
  it('is received and sent with additional memory of a fraction of its size', {
    timeout: 120_000,
  }, async () => {
    const server = await ServerProcess.start(temporaryFolder(), { MAX_UPLOAD: String(FILE_BYTES) })
    const ana = new SocketClient(server.port, { token: await tokenOf('ana') })
    await ana.next('connected')
    ana.send('create_group', 1, { kind: 'group' })
    const { groupId } = (await ana.next('group')).fields.group
    // The first upload loads modules before the measurement.
    await download(server.port, await upload(server.port, groupId, 2 * MIB))
    const before = memory(server.pid).now
    const file = await upload(server.port, groupId, FILE_BYTES)
    const uploaded = memory(server.pid).most - before
    expect(file).toMatchObject({ size: FILE_BYTES, mimeType: 'text/plain' })
    expect(await download(server.port, file)).toBe(FILE_BYTES)
    const downloaded = memory(server.pid).most - before
    expect({ uploaded, downloaded, few: Math.max(uploaded, downloaded) < FEW_BYTES }).toMatchObject({
      few: true,
    })
    ana.ws.terminate()
  })
})
