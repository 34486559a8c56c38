import { describe, expect, it } from 'vitest'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import { transports } from '../../support/transports.ts'
import { startServer, tokenOf } from '../operation/server.ts'
import { rawHttp } from './app.ts'

const handshake = (...lines: string[]) =>
  ['GET /ws HTTP/1.1', 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13']
    .concat('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', lines, '', '')
    .join('\r\n')

// AUT-3
describe.each(transports)('repeated header lines on $name', ({ name: transport }) => {
  it('of X-Forwarded-For: the last entry of the last line is the client', async () => {
    const server = await startServer({ transport, trustProxy: true, authFailureLimit: 2 })
    const statusOf = async (token: string, ...lines: string[]) => {
      const text = await rawHttp(
        server.port,
        [
          `GET /api/chat/groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${lines.join('\r\n')}\r\n\r\n`,
        ],
        /\r\n\r\n/,
      )
      return Number(text.slice(9, 12))
    }
    const pretends = ['X-Forwarded-For: 203.0.113.7', 'X-Forwarded-For: 8.8.8.8, 198.51.100.66']
    for (let i = 0; i < 2; i++) expect(await statusOf('bad', ...pretends)).toBe(401)
    expect(await statusOf('bad', ...pretends)).toBe(429)
    expect(await statusOf(await tokenOf('ana'), 'X-Forwarded-For: 203.0.113.7')).toBe(200)
    const upgrade = (...lines: string[]) => rawHttp(server.port, [handshake(...lines)], /\r\n\r\n/)
    expect(await upgrade('X-Forwarded-For: 203.0.113.7', 'X-Forwarded-For: 198.51.100.66')).toMatch(
      /^HTTP\/1.1 429/,
    )
    expect(await upgrade('X-Forwarded-For: 198.51.100.66', 'X-Forwarded-For: 203.0.113.7')).toMatch(
      /^HTTP\/1.1 101/,
    )
  })

  it('of Sec-WebSocket-Protocol: one list, with the token in any line', async () => {
    const server = await startServer({ transport })
    const bearer = `${subprotocols.bearerPrefix}${await tokenOf('ana')}`
    for (const lines of [
      [subprotocols.json, bearer],
      [bearer, subprotocols.json],
    ]) {
      const text = await rawHttp(
        server.port,
        [handshake(...lines.map((entry) => `Sec-WebSocket-Protocol: ${entry}`))],
        /"connected"/,
      )
      expect(text).toMatch(/^sec-websocket-protocol: tertulia\.v1\.json\r$/im)
    }
  })
})
