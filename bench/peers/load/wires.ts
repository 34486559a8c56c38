/**
 * Wires by name, and what a server needs before the first member connects.
 */
import { events } from '../../../protocol/events.ts'
import { Crowd } from '../../load/crowd.ts'
import type { Layout, Place } from './peer-crowd.ts'
import type { Wire } from './wire.ts'
import { bareWire } from './wires/bare-wire.ts'
import { mqttWire } from './wires/mqtt-wire.ts'
import { natsWire } from './wires/nats-wire.ts'
import { plainWire } from './wires/plain-wire.ts'
import { socketIoWire, tertuliaSocketIoWire } from './wires/socket-io-wire.ts'
import { tertuliaJsonWire, tertuliaWire } from './wires/tertulia-wire.ts'

/** Each makes its wire with the secret that the server checks. */
export const wires = {
  plain: () => plainWire,
  bare: () => bareWire,
  'socket.io': () => socketIoWire,
  nats: (secret: string) => natsWire(secret),
  'mqtt-0': (secret: string) => mqttWire(secret, 0),
  'mqtt-1': (secret: string) => mqttWire(secret, 1),
  'tertulia-msgpack': () => tertuliaWire,
  'tertulia-json': () => tertuliaJsonWire,
  'tertulia-socket.io': () => tertuliaSocketIoWire,
} satisfies Readonly<Record<string, (secret: string) => Wire>>

export type WireName = keyof typeof wires

/** Members that `create_group` accepts beside the creator. */
const MAX_FIRST_MEMBERS = 999
/** Requests of one connection under way. */
const AT_ONCE = 50

/** Creates the groups of the layout. Only Tertulia has groups that outlive connections; the first member creates each. */
export async function prepare(
  wire: WireName,
  place: Place,
  { connections, groupSize }: Layout,
): Promise<void> {
  if (!wire.startsWith('tertulia')) return
  const crowd = new Crowd(place)
  const groups = Math.ceil(connections / groupSize)
  await crowd.connect(groups, 0, groupSize)
  for (const [group, creator] of crowd.clients.entries()) {
    const size = Math.min(groupSize, connections - creator.index)
    const others = Array.from({ length: size - 1 }, (_, i) => `u${creator.index + 1 + i}`)
    const members = others.splice(0, MAX_FIRST_MEMBERS)
    crowd.request(creator, 'create_group', { kind: 'group', groupId: `g${group}`, members })
    // Members are added to a group that exists.
    await crowd.expect(events.group.code, group + 1 - (others.length > 0 ? 0 : AT_ONCE))
    for (const [i, userId] of others.entries()) {
      crowd.request(creator, 'add_member', { groupId: `g${group}`, userId })
      if (i % AT_ONCE === AT_ONCE - 1) await crowd.ping()
    }
  }
  await crowd.expect(events.group.code, groups)
  await crowd.ping()
  crowd.end()
}
