/**
 * Store client: what a store needs to connect, and not to show its cached state; loaded beside that.
 */
import { ChatClient, type ClientEvents } from '../chat-client.ts'
import { eventNames } from '../wire.ts'
import { forgetOthers } from './cache/other-users.ts'
import type { StoreEvent } from './store-event.ts'
import { type ChatStoreOptions, prefixOf } from './store-options.ts'
import type { StoreState } from './store-state.ts'

/** The events of a client that are none of the server. */
const clientEvents = ['state', 'missed', 'caught_up', 'group_lost'] as const

/** A client that continues where the state ends. It does not connect yet. */
export function makeClient(
  { url, token, clock, openSocket, userId, cache }: ChatStoreOptions,
  state: StoreState,
  emit: (event: StoreEvent) => void,
): ChatClient {
  const after = state.outgoing.sentAfter()
  const groups = [...state.list].flatMap(({ groupId, row }) => {
    const lastSeq = row?.lastSeq ?? 0
    return lastSeq > 0 ? [[groupId, Math.min(lastSeq, after.get(groupId) ?? lastSeq)] as const] : []
  })
  // Messages of the outbox are never sent by another user.
  const isKnown = groups.length + state.outgoing.all.length > 0
  const start = isKnown ? { userId: state.userId, groups } : undefined
  const client = new ChatClient({ url, token, clock, openSocket, start })
  for (const event of [...eventNames, ...clientEvents]) {
    client.on(event as keyof ClientEvents, (fields) => emit({ event, fields } as StoreEvent))
  }
  const prefix = prefixOf(url)
  // Without `userId` all users have one database, which their cache clears.
  if (userId && !cache) client.on('connected', () => void forgetOthers(prefix, prefix + userId))
  return client
}
