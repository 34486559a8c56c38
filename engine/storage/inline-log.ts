/**
 * Inline log: SQLite on the calling thread, for `shards: 'inline'`.
 *
 * The same writer, write loop and reader as in the worker threads; only the way between is shorter.
 */
import type { Defer } from '../shards/batch.ts'
import type { Log, LogEntry, LogListener, ReadName, ReadQuery, Reads } from './log.ts'
import { type Durability, databasePath, lockDirectory, openReader, openWriter } from './sqlite/database.ts'
import { Reader } from './sqlite/reader.ts'
import { Writer } from './sqlite/writer.ts'
import { WriteLoop } from './write-loop.ts'

/** Storage of one process on one thread. */
export interface InlineStorage {
  /** The log of the one shard. */
  log(listener: LogListener): Log
  close(): Promise<void>
}

/** Opens the data directory. @throws StorageError */
export function openInlineStorage(dataDir: string, durability: Durability, defer: Defer): InlineStorage {
  const lock = lockDirectory(dataDir)
  try {
    const writer = new Writer(openWriter(dataDir, durability))
    const reader = new Reader(openReader(dataDir))
    const loop = new WriteLoop(writer, `${databasePath(dataDir)}-wal`)
    return {
      log: (listener) => new InlineLog(loop, reader, listener, defer),
      async close() {
        try {
          loop.close()
          reader.close()
          writer.checkpoint()
        } finally {
          writer.close()
          lock.release()
        }
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

class InlineLog implements Log {
  readonly #loop: WriteLoop
  readonly #reader: Reader
  readonly #listener: LogListener
  readonly #defer: Defer
  #turn: LogEntry[] = []
  #offset = 0

  constructor(loop: WriteLoop, reader: Reader, listener: LogListener, defer: Defer) {
    this.#loop = loop
    this.#reader = reader
    this.#listener = listener
    this.#defer = defer
    loop.addSource(listener)
  }

  append(entry: LogEntry): number {
    if (this.#turn.length === 0) {
      this.#defer(() => {
        const entries = this.#turn
        this.#turn = []
        this.#loop.push(this.#listener, entries)
      })
    }
    this.#turn.push(entry)
    this.#offset += 1
    return this.#offset
  }

  async read<N extends ReadName>(query: ReadQuery<N>): Promise<Reads[N]['result']> {
    return this.#reader.run(query)
  }
}
