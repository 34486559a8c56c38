/**
 * Rows over real sockets: a real server with inline shards, and users who send requests through one of the
 * two subprotocols. Everything is closed after the test.
 */
import { onTestFinished } from 'vitest'
import type { Event, EventFields, EventName } from '../../../protocol/events.ts'
import type { RequestFields, RequestName } from '../../../protocol/requests.ts'
import { subprotocols } from '../../../protocol/subprotocols.ts'
import { resolveSettings } from '../../../server/config.ts'
import { createServer, type Server, type ServerOptions } from '../../../server/server.ts'
import { makeToken } from '../../../server/token.ts'
import { temporaryFolder } from '../../support/engines.ts'
import { SocketClient } from '../../support/socket-client.ts'

/** What the server checks tokens with. */
export const jwtSecret = 'a secret of thirty-two bytes, and more'
const quiet = { info() {}, warn() {}, error() {} }

/** Both subprotocols, for `describe.each`. */
export const wires = [
  { wire: 'msgpack', protocol: subprotocols.msgpack },
  { wire: 'JSON', protocol: subprotocols.json },
] as const

/** One connection of a user. */
export class Device extends SocketClient {
  #ref = 0

  /** Sends a request, and waits for its one answer of any kind. */
  async ask<N extends RequestName>(name: N, fields: RequestFields<N>): Promise<Event> {
    this.#ref += 1
    const ref = this.#ref
    this.send(name, ref, fields)
    return this.first((event) => event.ref === ref)
  }

  /** The same, and requires the answer of a success. */
  async get<N extends RequestName, A extends EventName>(
    name: N,
    fields: RequestFields<N>,
    answer: A,
  ): Promise<EventFields<A>> {
    const event = await this.ask(name, fields)
    if (event.event !== answer) throw new Error(`${name} was answered ${JSON.stringify(event)}`)
    return event.fields as EventFields<A>
  }

  /** The code and field of the error that a request causes. */
  async refusal<N extends RequestName>(name: N, fields: unknown): Promise<string> {
    const { event, fields: said } = await this.ask(name, fields as RequestFields<N>)
    if (event === 'error') return said.field === undefined ? said.code : `${said.code} ${said.field}`
    if (event === 'message_error') return said.error.code
    throw new Error(`${name} was not refused, but answered ${event}`)
  }

  /** Creates a group and returns its id. */
  async group(fields: Partial<RequestFields<'create_group'>> = {}): Promise<string> {
    const { group } = await this.get('create_group', { kind: 'group', ...fields }, 'group')
    return group.groupId
  }

  /** Sends a text and returns its messageId. */
  async post(groupId: string, content = 'olá', more: object = {}): Promise<string> {
    const tempId = `t${this.#ref + 1}`
    const sent = await this.get('send_message', { groupId, content, tempId, ...more }, 'message_sent')
    return sent.message.messageId
  }
}

export interface Rows {
  readonly server: Server
  readonly dataDir: string
  tokenOf(userId: string, name?: string): Promise<string>
  /** A device that has received `connected`. */
  device(userId: string): Promise<Device>
}

/** Starts a server whose devices use this subprotocol. */
export async function startRows(protocol: string, options: ServerOptions = {}): Promise<Rows> {
  const dataDir = options.dataDir ?? temporaryFolder()
  const server = await createServer({
    port: 0,
    host: '127.0.0.1',
    dataDir,
    jwtSecret,
    logger: quiet,
    rateLimit: 0,
    shards: 'inline',
    ...options,
  })
  onTestFinished(() => server.close())
  const tokenOf = (userId: string, name = nameOf(userId)) =>
    makeToken(resolveSettings({ jwtSecret }), { userId, name, ttlSeconds: 600 })
  return {
    server,
    dataDir,
    tokenOf,
    async device(userId) {
      const device = new Device(server.port, { token: await tokenOf(userId), protocols: [protocol] })
      await device.next('connected')
      return device
    },
  }
}

/** The name of `ana` is Ana. */
function nameOf(userId: string): string {
  return userId.charAt(0).toUpperCase() + userId.slice(1)
}
