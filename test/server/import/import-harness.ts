/**
 * Import for tests: a file of records, the command that imports it, and what a folder contains then.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import { databasePath } from '../../../engine/storage/sqlite/database.ts'
import type { Message } from '../../../protocol/records.ts'
import { runCli } from '../../../server/cli.ts'
import { serverMain } from '../../support/bundle.ts'
import { startInline, temporaryFolder } from '../../support/engines.ts'

export const AT = Date.parse('2023-05-17T12:00:00Z')

export const kitchen = {
  record: 'group',
  groupId: 'kitchen',
  name: 'Kitchen',
  createdBy: 'ana',
  createdAt: AT,
}

export function member(userId: string, more: object = {}) {
  return { record: 'member', groupId: 'kitchen', userId, ...more }
}

/** The message `m<n>`, a second after the one before it. */
export function message(n: number, more: object = {}) {
  return {
    record: 'message',
    groupId: 'kitchen',
    id: `m${n}`,
    senderId: 'ana',
    content: `message ${n}`,
    createdAt: AT + n * 1_000,
    ...more,
  }
}

/** A file with these records, or lines. */
export function fileOf(...records: readonly (object | string)[]): string {
  const file = join(temporaryFolder(), 'history.ndjson')
  const lines = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record)))
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

/** Runs the built command in a process of its own, as for a file of several parts, which a thread parses. */
export async function importProcess(dataDir: string, file: string) {
  const child = spawn(process.execPath, [serverMain, 'import', file], {
    env: { PATH: process.env['PATH'], DATA_DIR: dataDir },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number | null, out, err }
}

/** Runs the command in this process. */
export async function runImport(dataDir: string, file: string) {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(['import', file], {
    env: { DATA_DIR: dataDir },
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** Imports the records into a new folder. */
export async function imported(...records: readonly object[]): Promise<string> {
  const dataDir = temporaryFolder()
  const { code, err } = await runImport(dataDir, fileOf(...records))
  if (code !== 0) throw new Error(err)
  return dataDir
}

/** The whole history of a group, as one of its members reads it. */
export async function historyOf(dataDir: string, userId: string, groupId = 'kitchen') {
  const engine = await startInline({ dataDir })
  const session = await engine.connect({ userId })
  const messages: Message[] = []
  for (let after = 0, more = true; more; after = messages.at(-1)?.seq ?? 0) {
    const page = await session.getHistory({ groupId, after, limit: 200 })
    messages.push(...page.messages)
    more = page.hasMore
  }
  await engine.close()
  return messages
}

/** The number of imported messages that are stored; 0 while there is no database. */
export function storedMessages(dataDir: string): number {
  try {
    const db = new Database(databasePath(dataDir), { readonly: true })
    try {
      return db.prepare('SELECT count(*) FROM imported_messages').pluck().get() as number
    } finally {
      db.close()
    }
  } catch {
    return 0
  }
}
