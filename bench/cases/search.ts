/**
 * Search: how fast a log of a million messages is indexed, and then searched for two words.
 *
 * The load process writes the log into a separate folder and runs the engine itself, with a shard
 * thread, so that the time of a search is that of an embedding service: from the call to the answer,
 * through the shard and the search thread. One search at a time, for two of the 200 most common words.
 * The caller is a member of all 10,000 groups, of 500 or of 20 of them, or searches in one group.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createEngine, type Engine } from '../../engine/engine.ts'
import { lockDirectory, openWriter } from '../../engine/storage/sqlite/database.ts'
import { Writer } from '../../engine/storage/sqlite/writer.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'
import { latencyHistogram } from '../load/latency.ts'
import { Talk } from '../load/talk.ts'
import type { CaseInput, Figures } from './case.ts'

const GROUPS = 10_000
const MESSAGES = 1_000_000
/** For the shorter run. */
const QUICK_MESSAGES = 100_000
const SENDERS = 5_000
const SEARCHES = 500
const COMMON_WORDS = 200
const BATCH = 5_000
const FIRST_AT = 1_750_000_000_000
/** A million messages in a year. */
const BETWEEN_MS = 31_000
const POLL_MS = 50
const SEED = 20_260_101

/** The callers; each is a member of every n-th group. */
const callers = [
  { userId: 'everywhere', every: 1, groupId: undefined },
  { userId: 'in-500', every: 20, groupId: undefined },
  { userId: 'in-20', every: 500, groupId: undefined },
  { userId: 'everywhere', every: 1, groupId: 'g0' },
] as const

export async function searchCase({ quick }: CaseInput): Promise<Figures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tertulia-search-'))
  const remove = () => rmSync(dataDir, { recursive: true, force: true })
  process.once('exit', remove)
  const talk = new Talk(SEED)
  const messages = quick ? QUICK_MESSAGES : MESSAGES
  const contentBytes = writeLog(dataDir, talk, messages)

  const startedAt = performance.now()
  const engine = await createEngine({ dataDir, shards: 1 })
  while ((await engine.stats()).search.documents < messages) await delay(POLL_MS)
  const seconds = (performance.now() - startedAt) / 1_000
  const figures: Record<string, number> = {
    messages,
    'indexed/s': messages / seconds,
    'text MiB': contentBytes / 2 ** 20,
    'index MiB': statSync(join(dataDir, 'search.db')).size / 2 ** 20,
  }
  for (const { userId, groupId } of callers) {
    const name = groupId === undefined ? userId : 'one group'
    const measured = await measure(engine, talk, userId, groupId)
    for (const [figure, value] of Object.entries(measured)) figures[`${name} ${figure}`] = value
  }
  await engine.close()
  process.off('exit', remove)
  remove()
  return figures
}

/** Searches, one after the other; the first tenth is a warm-up. */
async function measure(
  engine: Engine,
  talk: Talk,
  userId: string,
  groupId: string | undefined,
): Promise<Figures> {
  const histogram = latencyHistogram()
  let hits = 0
  for (let i = -SEARCHES / 10; i < SEARCHES; i++) {
    const query = `${talk.word(talk.below(COMMON_WORDS))} ${talk.word(talk.below(COMMON_WORDS))}`
    const askedAt = performance.now()
    const found = await engine.request({ userId }, 'search', { query, groupId })
    if (i < 0) continue
    histogram.recordValue(Math.max(1, Math.round((performance.now() - askedAt) * 1_000)))
    hits += found.hits.length
  }
  const percentile = (at: number) => histogram.getValueAtPercentile(at) / 1_000
  return {
    'p50 ms': percentile(50),
    'p95 ms': percentile(95),
    'p99 ms': percentile(99),
    hits: hits / SEARCHES,
  }
}

/** Groups of very different sizes, their members and messages; returns the bytes of the texts. */
function writeLog(dataDir: string, talk: Talk, messages: number): number {
  const lock = lockDirectory(dataDir)
  const writer = new Writer(openWriter(dataDir, 'process'))
  const groups = Array.from({ length: GROUPS }, (_, i) => `g${i}`)
  for (const groupId of groups) writer.commit(groupEntries(groupId))
  const seqs = new Uint32Array(GROUPS).fill(1)
  let bytes = 0
  for (let n = 0; n < messages; n += BATCH) {
    writer.commit(
      Array.from({ length: BATCH }, (_, i): LogEntry => {
        // The first group has a hundredth of all messages, most groups have some dozens.
        const group = Math.floor(talk.below(GROUPS) ** 2 / GROUPS)
        const seq = (seqs[group] as number) + 1
        seqs[group] = seq
        const content = talk.message()
        bytes += Buffer.byteLength(content)
        return messageEntry(`g${group}`, seq, `u${talk.below(SENDERS)}`, content, n + i)
      }),
    )
    writer.checkpoint()
  }
  writer.settle()
  writer.close()
  lock.release()
  return bytes
}

function groupEntries(groupId: string): LogEntry[] {
  const number = Number(groupId.slice(1))
  const group = {
    groupId,
    kind: 'group',
    visibility: 'private',
    createdBy: 'everywhere',
    createdAt: 0,
  } as const
  const more = { role: 'member', joinedSeq: 1, joinedAt: 0, mutedUntil: 0, quietUntil: 0 } as const
  const members = new Map(callers.map(({ userId, every }) => [userId, every]))
  return [
    { type: 'group', group },
    ...[...members]
      .filter(([, every]) => number % every === 0)
      .map(([userId]): LogEntry => ({ type: 'member', groupId, member: { userId, ...more } })),
  ]
}

function messageEntry(
  groupId: string,
  seq: number,
  senderId: string,
  content: string,
  number: number,
): LogEntry {
  const createdAt = FIRST_AT + number * BETWEEN_MS
  const tempId = `t${number}`
  return {
    type: 'message',
    message: {
      messageId: `${groupId}:${seq}`,
      groupId,
      seq,
      senderId,
      senderName: senderId,
      type: 'text',
      content,
      createdAt,
      tempId,
    },
  }
}
