/**
 * A front end on a free port, over a fake gateway and a clock that only a test moves.
 */

import { SignJWT } from 'jose'
import { AddressGuard } from '../../server/address-guard.ts'
import { type Authenticator, createAuthenticator } from '../../server/auth.ts'
import { FrontEnd } from '../../server/front-end.ts'
import { originRule } from '../../server/origins.ts'
import { RateLimiter } from '../../server/rate-limit.ts'
import { RefusalLog } from '../../server/refusal-log.ts'
import { FakeGateway } from '../support/fake-gateway.ts'
import { type ClientOptions, SocketClient } from '../support/socket-client.ts'
import { transport } from '../support/transports.ts'

export const SECRET = 'a secret of thirty-two bytes, and more'
/** The time at the start. */
export const START_MS = 1_700_000_000_000

export interface HarnessOptions {
  readonly maxConnections?: number
  readonly maxSessionsPerUser?: number
  readonly maxMessageBytes?: number
  readonly maxBackpressure?: number
  readonly rateLimit?: number
  readonly authFailureLimit?: number
  readonly corsOrigins?: readonly string[]
  readonly trustProxy?: boolean
  /** Replaces the authenticator of the harness's own tokens. */
  readonly authenticate?: Authenticator
  readonly maxUnauthenticatedBytes?: number
}

export interface Harness {
  readonly port: number
  readonly gateway: FakeGateway
  readonly frontEnd: FrontEnd
  readonly limiter: RateLimiter
  readonly logged: string[]
  /** The log lines with these fields. */
  readonly fields: object[]
  /** Advances the clocks, then runs the sweep of the front end. */
  advance(ms: number): void
  /** Sets the wall clock forward by this time. */
  setClock(byMs: number): void
  client(options?: ClientOptions): SocketClient
  /** A client that has received `connected`. */
  connected(userId: string, options?: ClientOptions): Promise<SocketClient>
  close(): void
}

export async function startFrontEnd(options: HarnessOptions = {}): Promise<Harness> {
  let nowMs = START_MS
  let steadyMs = 0
  const now = () => nowMs
  const steadyNow = () => steadyMs
  const logged: string[] = []
  const fields: object[] = []
  const log = (given: object, message: string) => {
    logged.push(message)
    fields.push(given)
  }
  const logger = { info: log, warn: log, error: log }
  const gateway = new FakeGateway()
  const app = transport.createApp()
  const limiter = new RateLimiter({ perMinute: options.rateLimit ?? 0, maxUsers: 1_000, now: steadyNow })
  const frontEnd = new FrontEnd(app, {
    gateway,
    authenticate:
      options.authenticate ?? createAuthenticator({ key: { kind: 'secret', secret: SECRET }, logger, now }),
    limiter,
    guard: new AddressGuard({
      perMinute: options.authFailureLimit ?? 0,
      maxAddresses: 1_000,
      now: steadyNow,
    }),
    originAllowed: originRule(options.corsOrigins ?? []),
    maxConnections: options.maxConnections ?? 100,
    maxSessionsPerUser: options.maxSessionsPerUser ?? 16,
    maxMessageBytes: options.maxMessageBytes ?? 65_536,
    maxBackpressure: options.maxBackpressure ?? 1_048_576,
    trustProxy: options.trustProxy ?? false,
    maxUnauthenticatedBytes: options.maxUnauthenticatedBytes ?? 16 * 1_048_576,
    fixesLimits: transport.fixesLimits,
    refusals: new RefusalLog({ logger, now: steadyNow }),
    logger,
    now,
    steadyNow,
  })
  app.sockets('/ws', frontEnd.behavior)
  gateway.addPublisher(frontEnd)
  const port = await app.listen('127.0.0.1', 0)
  const clients: SocketClient[] = []
  const client = (given: ClientOptions = {}) => {
    const made = new SocketClient(port, given)
    clients.push(made)
    return made
  }
  return {
    port,
    gateway,
    frontEnd,
    limiter,
    logged,
    fields,
    client,
    setClock(byMs) {
      nowMs += byMs
    },
    advance(ms) {
      nowMs += ms
      steadyMs += ms
      frontEnd.sweep()
    },
    async connected(userId, given = {}) {
      const made = client({ token: await tokenOf(userId), ...given })
      await made.next('connected')
      return made
    },
    close() {
      for (const made of clients) made.ws.terminate()
      app.close()
    },
  }
}

/** A valid token of the user, for as long as the clock of a harness needs it. */
export function tokenOf(userId: string, ttlSeconds = 3_600): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setExpirationTime(START_MS / 1_000 + ttlSeconds)
    .sign(Buffer.from(SECRET))
}
