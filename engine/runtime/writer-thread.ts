/**
 * Writer thread: the one writer of the database file.
 *
 * Receives the batches of each shard on a port and answers there. Sends `ready`, or the reason of a
 * failure, to the main thread, and ends by itself after a message: a thread with an open database is
 * never terminated from outside, because better-sqlite3 would abort the process.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { EngineLogger } from '../base/engine-logger.ts'
import { lanesOf } from '../base/partition.ts'
import { FileFolder } from '../files/file-folder.ts'
import { Janitor } from '../files/janitor.ts'
import type { Durability } from '../log/durability.ts'
import type { LaneBatch } from '../log/log.ts'
import { ChangedGroups } from '../search/changed-groups.ts'
import type { CopiedFrames } from '../storage/copied-frames.ts'
import type { WriterNote } from '../storage/remote-log.ts'
import { lockDirectory, openWriter, walPath } from '../storage/sqlite/database.ts'
import { FileRows } from '../storage/sqlite/file-rows.ts'
import { Writer } from '../storage/sqlite/writer.ts'
import { WriteLoop, type WriteSource } from '../storage/write-loop.ts'
import { unpack } from '../threads/packing.ts'
import { rethrowAsErrors } from '../threads/thread-errors.ts'
import { answerPings } from '../threads/watchdog.ts'

/** What the main thread starts a storage thread with. */
export interface StorageThreadData {
  readonly dataDir: string
  readonly durability: Durability
  /** One for each shard; of the copier thread, one to the writer. */
  readonly ports: readonly MessagePort[]
  readonly watch: MessagePort
  /** The port to search, which is notified of commits. */
  readonly search?: MessagePort
  /** The writer's port to the copier thread. */
  readonly copier?: MessagePort
}

/** What a storage thread sends to the main thread. */
export type StorageThreadNote =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  /** The database is damaged; the thread continues with what can be read. */
  | { readonly type: 'damaged'; readonly cause: string }
  | {
      readonly type: 'log'
      readonly level: keyof EngineLogger
      readonly fields: object
      readonly message: string
    }

const { dataDir, durability, ports, search, copier, watch } = workerData as StorageThreadData
const main = parentPort as MessagePort
rethrowAsErrors()
answerPings(watch)
const logAs = (level: keyof EngineLogger) => (fields: object, message: string) =>
  main.postMessage({ type: 'log', level, fields, message } satisfies StorageThreadNote)

/** Closes what was opened before a failure. */
let release = () => {}

try {
  const lock = lockDirectory(dataDir)
  release = lock.release
  const db = openWriter(dataDir, durability)
  release = () => {
    db.close()
    lock.release()
  }
  const writer = new Writer(db)
  // After a crash the WAL may hold what was deleted. // PRV-3
  writer.eraseOld({ info: logAs('info'), warn: logAs('warn'), error: logAs('error') })
  writer.checkpoint()
  const changes = new ChangedGroups((note) => search?.postMessage(note))
  search?.on('message', () => changes.handled())
  const loop = new WriteLoop(
    writer,
    walPath(dataDir),
    changes.committed,
    copier && (() => copier.postMessage('copy')),
  )
  copier?.on('message', (copied: CopiedFrames | null) => loop.copied(copied))
  const janitor = new Janitor({
    folder: new FileFolder(dataDir),
    rows: new FileRows(db),
    now: Date.now,
    isFailing: () => loop.isFailing,
    onErased: () => {
      writer.erased()
      loop.wrote()
    },
  })
  janitor.start()

  for (const [index, port] of ports.entries()) {
    const source: WriteSource = {
      lanes: lanesOf(index, ports.length),
      committed: (reached) => port.postMessage({ committed: reached } satisfies WriterNote),
      failing: (reason) => port.postMessage({ failing: reason } satisfies WriterNote),
      refused: (lane, owner, from, reason) =>
        port.postMessage({ refused: owner, lane, from, reason } satisfies WriterNote),
    }
    loop.addSource(source)
    port.on('message', (message: Uint8Array) => {
      for (const batch of unpack<LaneBatch[]>(message)) loop.push(source, batch)
    })
  }

  main.once('message', async () => {
    for (const port of ports) port.close()
    copier?.close()
    try {
      loop.close()
      // A clean stop leaves nothing of what was deleted. // PRV-3
      await janitor.finish().catch(() => {})
      writer.checkpoint()
    } finally {
      janitor.close()
      writer.close()
      lock.release()
      search?.close()
      main.close()
    }
  })
  main.postMessage({ type: 'ready' } satisfies StorageThreadNote)
} catch (error) {
  for (const port of ports) port.close()
  search?.close()
  copier?.close()
  release()
  main.postMessage({ type: 'failed', message: (error as Error).message } satisfies StorageThreadNote)
  main.close()
}
