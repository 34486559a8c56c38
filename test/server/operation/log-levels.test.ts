import { expect, it } from 'vitest'
import { createLog } from '../../../server/logger.ts'
import { connect, startServer, tokenOf } from './server.ts'

/**
 * The log messages of a server with this level while a client sends a request and another socket is
 * refused.
 */
async function linesAt(level: 'info' | 'debug' | 'trace') {
  const lines: { readonly msg: string; readonly level: number; readonly [field: string]: unknown }[] = []
  const logger = createLog(level, { write: (line) => void lines.push(JSON.parse(line)) })
  const server = await startServer({ logger })
  const client = await connect(server, 'ana')
  client.send('ping', 7, {})
  await client.next('pong')
  const response = await fetch(`${server.url}/api/chat/groups`, {
    headers: { authorization: `Bearer ${await tokenOf('ana')}` },
  })
  await response.text()
  client.ws.close()
  // The end of the connection is logged asynchronously.
  await expect.poll(async () => (await server.getServerStats()).connections.now).toBe(0)
  return lines
}

const about = (lines: Awaited<ReturnType<typeof linesAt>>, message: string) =>
  lines.filter(({ msg }) => msg === message)

it('logs neither requests nor connections at info', async () => {
  const lines = await linesAt('info')
  expect(lines.filter(({ level }) => level < 30)).toEqual([])
})

it('logs HTTP requests and ended connections at debug, and no request of a socket', async () => {
  const lines = await linesAt('debug')
  expect(about(lines, 'http')).toMatchObject([{ request: 'GET /api/chat/groups', status: 200 }])
  expect(about(lines, 'connection closed')).toMatchObject([{ userId: 'ana' }])
  expect(about(lines, 'request')).toEqual([])
})

it('logs the requests of sockets at trace, without their content or a token', async () => {
  const lines = await linesAt('trace')
  expect(about(lines, 'request')).toMatchObject([{ userId: 'ana', request: 'ping', ref: 7 }])
  expect(JSON.stringify(lines)).not.toContain('eyJ')
})
