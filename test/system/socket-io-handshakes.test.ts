/**
 * Handshakes of many real Socket.IO clients at the same moment: all are accepted in their handlers, so that
 * uWebSockets.js prints no warning, whatever the key of the tokens and wherever they are (SIO-1).
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../support/engines.ts'
import { SECRET, ServerProcess } from '../support/server-process.ts'

type Options = Partial<ManagerOptions & SocketOptions>
type Key = Parameters<SignJWT['sign']>[0]

const CLIENTS = 50
const KID = 'k1'
const ways: readonly (readonly [string, (token: string) => Options])[] = [
  ['auth', (token) => ({ transports: ['websocket'], auth: { token } })],
  ['the query', (token) => ({ transports: ['websocket'], query: { token } })],
  [
    'a header',
    (token) => ({ transports: ['websocket'], extraHeaders: { authorization: `Bearer ${token}` } }),
  ],
  ['auth, after long polling', (token) => ({ auth: { token } })],
  ['the query, after long polling', (token) => ({ query: { token } })],
]

const issuer = createServer()
beforeAll(() => new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve)))
afterAll(() => void issuer.close())

/** The settings of a server, and the key that signs its tokens. */
const keys: readonly (readonly [string, () => Promise<readonly [Record<string, string>, string, Key]>])[] = [
  ['a secret', async () => [{}, 'HS256', Buffer.from(SECRET)]],
  [
    'a public key',
    async () => {
      const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
      return [{ JWT_SECRET: '', JWT_PUBLIC_KEY: await exportSPKI(publicKey) }, 'RS256', privateKey]
    },
  ],
  [
    'a key set',
    async () => {
      const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
      const keys = [{ ...(await exportJWK(publicKey)), kid: KID }]
      issuer.on('request', (_, response) => response.end(JSON.stringify({ keys })))
      const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/`
      return [{ JWT_SECRET: '', JWT_JWKS_URL: url }, 'ES256', privateKey]
    },
  ],
]

/** Connects, and resolves when the client receives events over a WebSocket. */
function connected(port: number, options: Options): Promise<Socket> {
  const socket = io(`http://127.0.0.1:${port}`, { forceNew: true, ...options })
  onTestFinished(() => void socket.disconnect())
  return new Promise((resolve, reject) => {
    socket.once('connect_error', reject)
    socket.once('connected', () => {
      const { engine } = socket.io
      if (engine.transport.name === 'websocket') resolve(socket)
      else engine.once('upgrade', () => resolve(socket))
    })
  })
}

it.each(keys)(
  `${CLIENTS} clients at a time, tokens of %s`,
  async (_, make) => {
    const [env, alg, key] = await make()
    const server = await ServerProcess.start(temporaryFolder(), env)
    const tokenOf = (userId: string) =>
      new SignJWT().setProtectedHeader({ alg, kid: KID }).setSubject(userId).setExpirationTime('1h').sign(key)
    for (const [way, options] of ways) {
      const tokens = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => tokenOf(`${way}-${i}`)))
      const sockets = await Promise.all(tokens.map((token) => connected(server.port, options(token))))
      for (const socket of sockets) socket.disconnect()
      // Every line of the log is JSON.
      expect(server.lines.filter((line) => !line.startsWith('{'))).toEqual([])
    }
    expect(await server.stop()).toBe(0)
  },
  60_000,
)
