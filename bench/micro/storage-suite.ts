/**
 * Storage: a transaction of 500 messages in a new file, committed with the given durability.
 *
 * Checkpoints run in the pauses that are not timed, as the write loop runs them between commits.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Durability } from '../../engine/log/durability.ts'
import { lockDirectory, openWriter } from '../../engine/storage/sqlite/database.ts'
import { Writer } from '../../engine/storage/sqlite/writer.ts'
import type { LogEntry } from '../../engine/stored/log-entry.ts'
import type { MicroSuite } from './micro-task.ts'
import { sampleGroup, sampleMembers, sampleMessage } from './sample.ts'

const MESSAGES = 500
const COMMITS_A_CHECKPOINT = 50

export function storageSuite(durability: Exclude<Durability, 'memory'>): MicroSuite {
  const folder = mkdtempSync(join(tmpdir(), 'tertulia-micro-'))
  try {
    return suiteIn(folder, durability)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

function suiteIn(folder: string, durability: Durability): MicroSuite {
  const lock = lockDirectory(folder)
  const writer = new Writer(openWriter(folder, durability))
  const { groupId } = sampleGroup
  writer.commit([
    { type: 'group', group: sampleGroup },
    ...sampleMembers.map((member): LogEntry => ({ type: 'member', groupId, member })),
  ])
  let seq = 1
  let commits = 0
  let entries: readonly LogEntry[] = []
  return {
    tasks: [
      {
        name: `storage: a message of a transaction of ${MESSAGES}, ${durability}`,
        operations: MESSAGES,
        prepare: () => {
          if (++commits % COMMITS_A_CHECKPOINT === 0) writer.checkpoint()
          entries = Array.from({ length: MESSAGES }, () => {
            seq += 1
            return { type: 'message', message: sampleMessage(seq, `user-${seq % sampleMembers.length}`) }
          })
        },
        run: () => writer.commit(entries),
      },
    ],
    end: () => {
      writer.close()
      lock.release()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
