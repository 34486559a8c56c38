/**
 * Connect: 10,000 authenticated clients, each in one group of ten, connected at the same time.
 *
 * Memory is the increase of the server's resident set, per client, from one time that it was idle
 * (`idleBytes`) to the next, after the last `connected` and a round of pings. Before that, 500 clients connect
 * and disconnect, so that the code, caches and heaps that every server has after its first minute are not counted.
 */
import { events } from '../../protocol/events.ts'
import { Crowd } from '../load/crowd.ts'
import { cpuSeconds, idleBytes } from '../load/process-figures.ts'
import type { CaseInput, Figures } from './case.ts'

const CLIENTS = 10_000
const GROUP_SIZE = 10
const WARM_UP_CLIENTS = 500

export async function connectCase({ pid, ...target }: CaseInput): Promise<Figures> {
  const founders = new Crowd(target)
  await founders.connect(CLIENTS / GROUP_SIZE, 0, GROUP_SIZE)
  for (const [group, client] of founders.clients.entries()) {
    const members = Array.from({ length: GROUP_SIZE - 1 }, (_, i) => `u${client.index + 1 + i}`)
    founders.request(client, 'create_group', { kind: 'group', groupId: `g${group}`, members })
  }
  await founders.expect(events.group.code, CLIENTS / GROUP_SIZE)
  founders.end()
  const warmUp = new Crowd(target)
  await warmUp.connect(WARM_UP_CLIENTS, CLIENTS)
  warmUp.end()

  const bytesBefore = await idleBytes(pid)
  const cpuBefore = cpuSeconds(pid)
  const startedAt = performance.now()
  const crowd = new Crowd(target)
  await crowd.connect(CLIENTS)
  const seconds = (performance.now() - startedAt) / 1_000
  const cpu = cpuSeconds(pid) - cpuBefore
  await crowd.ping()
  const bytesAfter = await idleBytes(pid)
  const { lost } = crowd
  crowd.end()
  return {
    clients: CLIENTS,
    seconds,
    'connections/s': CLIENTS / seconds,
    lost,
    'KiB/connection': (bytesAfter - bytesBefore) / CLIENTS / 1024,
    'server CPU s': cpu,
  }
}
