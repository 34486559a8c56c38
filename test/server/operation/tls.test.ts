import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { decodeEvent, encodeRequest } from '../../../protocol/codec.ts'
import { answerBadRequest } from '../../../server/transport/node/bad-request.ts'
import { aCertificate } from '../../support/certificate.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { startServer, tokenOf } from './server.ts'

describe('TLS_CERT and TLS_KEY', () => {
  it('make the port serve https and wss', async () => {
    const pair = await aCertificate()
    const ca = readFileSync(pair.tlsCert)
    const server = await startServer(pair)
    expect(server.url).toBe(`https://127.0.0.1:${server.port}`)
    const status = await new Promise((resolve, reject) => {
      get(`${server.url}/readyz`, { ca }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).on('error', reject)
    })
    expect(status).toBe(200)

    const headers = { authorization: `Bearer ${await tokenOf('ana')}` }
    const ws = new WebSocket(`wss://localhost:${server.port}/ws`, { ca, headers })
    onTestFinished(() => ws.terminate())
    const events: string[] = []
    ws.on('message', (data: Buffer) => events.push(decodeEvent(data)?.event ?? ''))
    await expect.poll(() => events).toContain('connected')
    ws.send(encodeRequest('create_group', 1, { kind: 'group', groupId: 'g' }))
    ws.send(encodeRequest('send_message', 2, { groupId: 'g', content: 'x'.repeat(10_000), tempId: 't' }))
    await expect.poll(() => events).toContain('message_sent')
    await expect(fetch(`http://127.0.0.1:${server.port}/readyz`)).rejects.toThrow()
  })

  it('have the built-in transport close a connection that does not begin its handshake', async () => {
    const { tlsCert, tlsKey } = await aCertificate()
    const files = { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) }
    const server = createServer({ ...files, handshakeTimeout: 1 }).on('clientError', answerBadRequest)
    onTestFinished(() => void server.close())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const silent = connect((server.address() as AddressInfo).port, '127.0.0.1')
    onTestFinished(() => void silent.destroy())
    await once(silent, 'close')
  })

  it('must be set together', async () => {
    const { tlsCert, tlsKey } = await aCertificate()
    await expect(startServer({ tlsCert })).rejects.toThrow('TLS_CERT and TLS_KEY must be set together')
    await expect(startServer({ tlsKey })).rejects.toThrow('TLS_CERT and TLS_KEY must be set together')
  })

  it('are refused by name if they cannot be read, have another type, or do not match', async () => {
    const pair = await aCertificate()
    const missing = join(temporaryFolder(), 'none.pem')
    await expect(startServer({ ...pair, tlsCert: missing })).rejects.toThrow(
      `TLS_CERT ${missing} cannot be read: ENOENT`,
    )
    await expect(startServer({ ...pair, tlsCert: pair.tlsKey })).rejects.toThrow(
      'is not a certificate in PEM',
    )
    const text = join(temporaryFolder(), 'text.pem')
    writeFileSync(text, 'no key at all')
    await expect(startServer({ ...pair, tlsKey: text })).rejects.toThrow(
      `TLS_KEY ${text} is not a private key in PEM, without a passphrase`,
    )
    const { tlsKey } = await aCertificate()
    await expect(startServer({ ...pair, tlsKey })).rejects.toThrow(
      `TLS_KEY ${tlsKey} is not the key of the certificate in TLS_CERT ${pair.tlsCert}`,
    )
  })
})
