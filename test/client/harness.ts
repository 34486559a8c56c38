/**
 * A client before a scripted server, under a clock that only the test moves.
 */
import { onTestFinished } from 'vitest'
import { ChatClient } from '../../client/chat-client.ts'
import type { ClientState } from '../../client/link.ts'
import type { ChatClientOptions } from '../../client/options.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { eventually } from '../support/conditions.ts'
import { type Peer, ScriptedServer, type Standing } from '../support/scripted-server.ts'

export interface Stage {
  readonly server: ScriptedServer
  readonly clock: ManualClock
  readonly client: ChatClient
  readonly states: readonly ClientState[]
  /** What the application was given of the groups' logs, as `kitchen:7` each, `gap kitchen:9` … */
  readonly shown: readonly string[]
}

/** A client that is not connected yet. */
export async function aStage(options: Partial<ChatClientOptions> = {}): Promise<Stage> {
  const server = await ScriptedServer.start()
  const clock = new ManualClock()
  const client = new ChatClient({ url: server.url, token: 'token', clock: clock.forClient, ...options })
  onTestFinished(() => client.close())
  const states: ClientState[] = []
  const shown: string[] = []
  client.on('state', (state) => states.push(state))
  client.on('new_message', ({ message }) => shown.push(message.messageId))
  client.on('gap', ({ groupId, seq, from, to }) => shown.push(`gap ${groupId}:${seq} ${from}-${to}`))
  client.on('user_left_group', ({ userId, groupId, seq }) => shown.push(`${userId} left ${groupId}:${seq}`))
  client.on('user_joined_group', ({ userId, groupId, seq }) =>
    shown.push(`${userId} joined ${groupId}:${seq}`),
  )
  client.on('missed', ({ groupId, from, to }) => shown.push(`missed ${groupId} ${from}-${to}`))
  client.on('group_lost', ({ groupId }) => shown.push(`lost ${groupId}`))
  return { server, clock, client, states, shown }
}

/** A client that is connected, and the server's side of that. */
export async function aConnectedStage(
  groups: readonly Standing[] = [],
  options: Partial<ChatClientOptions> = {},
): Promise<Stage & { readonly peer: Peer }> {
  const stage = await aStage(options)
  const connecting = stage.client.connect()
  const peer = await stage.server.accept()
  await peer.greet(groups)
  await connecting
  return { ...stage, peer }
}

/** Cuts the connection, waits until the client notices, and lets it reconnect. */
export async function reconnect(
  { client, clock, server }: Stage,
  peer: Peer,
  groups: readonly Standing[] = [],
): Promise<Peer> {
  peer.cut()
  clock.advance((await inState(client, 'reconnecting')).delayMs)
  const next = await server.accept()
  await next.greet(groups)
  await inState(client, 'connected')
  return next
}

export async function inState<S extends ClientState['state']>(
  client: ChatClient,
  state: S,
): Promise<Extract<ClientState, { readonly state: S }>> {
  return await eventually(() => {
    if (client.state.state !== state) throw new Error(`the client is ${client.state.state}`)
    return client.state as Extract<ClientState, { readonly state: S }>
  })
}
