/**
 * Many groups: the cost of connecting a user of 1,000 groups.
 *
 * The load process writes the log and runs the engine itself, with two shard threads, so that the
 * processor time of this process is that of the engine: reading the positions of the groups, `connected`
 * with the newest 200 of them, and the subscriptions, without those of a socket. In the first part no
 * group is loaded, in the second all are.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createEngine, type Engine } from '../../engine/engine.ts'
import { lockDirectory, openWriter } from '../../engine/storage/sqlite/database.ts'
import { Writer } from '../../engine/storage/sqlite/writer.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'
import type { CaseInput, Figures } from './case.ts'

const GROUPS = 1_000
const MESSAGES = 10
const CONNECTIONS = 50
const WARM_UP = 10
const FIRST_AT = 1_750_000_000_000
/** The work that follows a connection has ended by then. */
const SETTLE_MS = 20
const POLL_MS = 50
const members = ['ana', 'bruno', 'carla'] as const

export async function manyGroupsCase(_input: CaseInput): Promise<Figures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tertulia-many-groups-'))
  const remove = () => rmSync(dataDir, { recursive: true, force: true })
  process.once('exit', remove)
  writeLog(dataDir)
  const engine = await createEngine({ dataDir, shards: 2 })
  while ((await engine.stats()).search.documents < GROUPS * MESSAGES) await delay(POLL_MS)

  const cold = await connections(engine, 'ana')
  const bruno = await engine.connect({ userId: 'bruno' })
  for (let i = 0; i < GROUPS; i++) await bruno.getHistory({ groupId: `group-${i}`, limit: 1 })
  bruno.close()
  const warm = await connections(engine, 'ana')
  await engine.close()
  process.off('exit', remove)
  remove()
  return {
    groups: GROUPS,
    'CPU ms, not loaded': cold,
    'CPU ms, loaded': warm,
  }
}

/** Connects and disconnects repeatedly: the median of the processor time. */
async function connections(engine: Engine, userId: string): Promise<number> {
  const spent: number[] = []
  for (let i = -WARM_UP; i < CONNECTIONS; i++) {
    const before = process.cpuUsage()
    const session = await connect(engine, userId)
    await delay(SETTLE_MS)
    const { user, system } = process.cpuUsage(before)
    engine.gateway.closed(session)
    await delay(SETTLE_MS)
    if (i >= 0) spent.push((user + system) / 1_000)
  }
  return spent.sort((a, b) => a - b)[Math.floor(spent.length / 2)] as number
}

/** Resolves when the session receives all its groups. */
function connect(engine: Engine, userId: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let subscribed = 0
    const session = engine.gateway.open(
      { userId },
      {
        send() {},
        subscribe() {
          subscribed += 1
          if (subscribed === GROUPS) resolve(session)
        },
        unsubscribe() {},
        close: (reason) => reject(new Error(`the session was closed: ${reason}`)),
        whenDrained: (then) => then(),
      },
    )
  })
}

function writeLog(dataDir: string): void {
  const lock = lockDirectory(dataDir)
  const writer = new Writer(openWriter(dataDir, 'process'))
  for (let i = 0; i < GROUPS; i++) writer.commit(groupEntries(`group-${i}`, FIRST_AT + i))
  writer.settle()
  writer.checkpoint()
  writer.close()
  lock.release()
}

function groupEntries(groupId: string, createdAt: number): LogEntry[] {
  const group = { groupId, kind: 'group', visibility: 'private', createdBy: 'ana', createdAt } as const
  const more = { role: 'member', joinedAt: createdAt, mutedUntil: 0, quietUntil: 0 } as const
  const firstPost = members.length + 1
  return [
    { type: 'group', group: { ...group, name: `Name of ${groupId}` } },
    ...members.map(
      (userId, i): LogEntry => ({
        type: 'member',
        groupId,
        member: { userId, joinedSeq: i + 1, ...more },
      }),
    ),
    ...Array.from({ length: MESSAGES }, (_, i): LogEntry => {
      const seq = firstPost + i
      const sender = { senderId: 'bruno', senderName: 'Bruno' }
      return {
        type: 'message',
        message: {
          messageId: `${groupId}:${seq}`,
          groupId,
          seq,
          ...sender,
          type: 'text',
          content: `message ${i} of ${groupId}`,
          createdAt: createdAt + i,
          tempId: `t${i}`,
        },
      }
    }),
  ]
}
