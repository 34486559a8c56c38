/**
 * IndexedDB database: the cache in browsers.
 *
 * One object store for each table; `items` by group and seq, and `ranges` by group, changed in the transaction
 * of the items that they describe. `files` has the files of uploads, whose rows change while they are sent. A newer
 * version is added to `migrations`; a tab with an older version closes its connection when another tab upgrades. A
 * connection that the browser closed is opened again by the next call. All failures reject: the cache decides what
 * is forgotten.
 */
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb'
import { type Batch, type CacheDatabase, pageOf, type RowChange } from './cache-database.ts'
import {
  type CachedItem,
  type CachedPage,
  type CachedState,
  keyPaths,
  type Table,
  type Tables,
} from './message-cache.ts'
import { joinRange, rangeOf, rangesFrom, type SeqRange } from './seq-ranges.ts'

type Schema = DBSchema & { [T in Table]: { key: string; value: Tables[T] } } & {
  items: { key: [groupId: string, seq: number]; value: CachedItem }
  ranges: { key: string; value: { groupId: string; ranges: readonly SeqRange[] } }
  files: { key: string; value: { uploadId: string; blob: Blob } }
}
type Database = IDBPDatabase<Schema>
type Transaction = IDBPTransaction<Schema, typeof stores, 'readwrite'>

/** From version n to n + 1. */
const migrations: readonly ((database: Database) => void)[] = [
  (database) => {
    for (const [table, keyPath] of Object.entries(keyPaths)) {
      database.createObjectStore(table as Table, { keyPath })
    }
    database.createObjectStore('items', { keyPath: ['groupId', 'seq'] })
    database.createObjectStore('ranges', { keyPath: 'groupId' })
  },
  (database) => {
    database.createObjectStore('files', { keyPath: 'uploadId' })
  },
]
/** The user of a wiped database. In a new one, and after an eviction, there is no row. */
const NOBODY = ''
const stores = [...(Object.keys(keyPaths) as Table[]), 'items', 'ranges', 'files'] as const

export interface IdbHandlers {
  /** The database did not exist: nothing is stored. */
  created(): void
  /** The browser closed the connection: the database may have been deleted. */
  closed(): void
}

export class IdbDatabase implements CacheDatabase {
  readonly #name: string
  readonly #handlers: IdbHandlers
  #database: Promise<Database> | null = null
  /** Uploads whose files are stored. */
  #files = new Set<string>()

  constructor(name: string, handlers: IdbHandlers) {
    this.#name = name
    this.#handlers = handlers
  }

  async load(): Promise<CachedState> {
    const transaction = (await this.#open()).transaction(stores)
    new Done(transaction.done)
    const all = <T extends Table>(table: T) => transaction.objectStore(table).getAll() as Promise<Tables[T][]>
    const [profiles, groups, outbox, drafts, uploads, files] = await Promise.all([
      all('profile'),
      all('groups'),
      all('outbox'),
      all('drafts'),
      all('uploads'),
      transaction.objectStore('files').getAll(),
    ])
    const blobs = new Map(files.map(({ uploadId, blob }) => [uploadId, blob]))
    this.#files = new Set(blobs.keys())
    return {
      profile: profiles.find(({ userId }) => userId !== NOBODY) ?? null,
      groups,
      outbox: outbox.sort((a, b) => a.order - b.order),
      drafts,
      uploads: uploads.flatMap((upload) => {
        const blob = blobs.get(upload.uploadId)
        return blob ? [{ ...upload, blob }] : []
      }),
    }
  }

  async write({ userId, rows, forgotten, items }: Batch): Promise<boolean> {
    const transaction = (await this.#open()).transaction(stores, 'readwrite')
    const store = <N extends (typeof stores)[number]>(name: N) => transaction.objectStore(name)
    let changes = [...rows.values()]
    const done = new Done(transaction.done)
    const groupIds = [...new Set(items.map(({ groupId }) => groupId))]
    const read = Promise.all([
      store('profile').getAllKeys(),
      ...groupIds.map((groupId) => store('ranges').get(groupId)),
    ])
    const known = new Map<string, readonly SeqRange[]>()
    const work = read.then(async ([owners, ...found]) => {
      const hasProfile = changes.some(({ table }) => table === 'profile')
      const isWiped = owners.length > 0 && !owners.includes(userId ?? '')
      if (userId !== undefined && isWiped && !(hasProfile && owners.includes(NOBODY))) return false
      if (owners.length === 0 && userId !== undefined) {
        // Deleted by the browser, and created by another tab.
        this.#created()
        changes = [...rows.values()]
      }
      if (hasProfile) done.push(store('profile').delete(NOBODY))
      for (const row of found) if (row) known.set(row.groupId, row.ranges)
      for (const change of changes) this.#change(transaction, change, done)
      for (const groupId of forgotten) {
        known.delete(groupId)
        done.push(store('items').delete(itemsOf(groupId)), store('ranges').delete(groupId))
      }
      for (const change of items) {
        const { groupId } = change
        if ('items' in change) {
          const ranges = known.get(groupId) ?? []
          const joined = change.range ? joinRange(ranges, change.range) : ranges
          known.set(groupId, joined)
          for (const item of change.items) if (rangeOf(joined, item.seq)) done.push(store('items').put(item))
        } else {
          const item = await store('items').get([groupId, change.seq])
          if (item) done.push(store('items').put(change.change(item)))
        }
      }
      for (const groupId of groupIds) {
        const ranges = known.get(groupId)
        if (ranges?.length) done.push(store('ranges').put({ groupId, ranges }))
      }
      return true
    })
    const isWritten = await work
    await done.all()
    if (isWritten) this.#stored(changes)
    return isWritten
  }

  async writeLast(rows: Iterable<RowChange>): Promise<void> {
    const transaction = (await this.#open()).transaction(stores, 'readwrite')
    const done = new Done(transaction.done)
    for (const change of rows) this.#change(transaction, change, done)
    // Without it, the browser aborts the transaction of a page that has ended.
    transaction.commit()
    await done.all()
  }

  async page(
    groupId: string,
    seq: number,
    limit: number,
    direction: 'older' | 'newer',
  ): Promise<CachedPage | null> {
    const transaction = (await this.#open()).transaction(['items', 'ranges'])
    new Done(transaction.done)
    const row = await transaction.objectStore('ranges').get(groupId)
    const range = row && rangeOf(row.ranges, seq)
    if (!range) return null
    const store = transaction.objectStore('items')
    if (direction === 'newer') {
      return pageOf(await store.getAll(itemsOf(groupId, seq, range[1]), limit), seq, range, limit, direction)
    }
    // Not a cursor, which is slower for each item: most seqs are those of messages.
    for (let span = limit * 2; ; span *= 4) {
      const from = Math.max(range[0], seq - span)
      const items = await store.getAll(itemsOf(groupId, from, seq))
      if (items.length >= limit || from === range[0]) {
        return pageOf(items.slice(-limit), seq, range, limit, direction)
      }
    }
  }

  async trim(max: (count: number) => number): Promise<number> {
    const transaction = (await this.#open()).transaction(stores, 'readwrite')
    const store = transaction.objectStore('items')
    const ranges = transaction.objectStore('ranges')
    const done = new Done(transaction.done)
    const count = await store.count()
    let excess = count - max(count)
    if (excess > 0) {
      const groups = new Map(
        (await transaction.objectStore('groups').getAll()).map((group) => [group.groupId, group]),
      )
      const activity = ({ groupId }: { groupId: string }) => groups.get(groupId)?.lastActivityAt ?? 0
      for (const row of (await ranges.getAll()).sort((a, b) => activity(a) - activity(b))) {
        if (excess <= 0) break
        const { groupId } = row
        const keys = await store.getAllKeys(itemsOf(groupId))
        const first = keys[excess]?.[1]
        excess -= keys.length
        await store.delete(itemsOf(groupId, 0, (first ?? Number.POSITIVE_INFINITY) - 1))
        if (first === undefined) await ranges.delete(groupId)
        else await ranges.put({ groupId, ranges: rangesFrom(row.ranges, first) })
      }
    }
    await done.all()
    return Math.min(count, max(count))
  }

  async clear(): Promise<void> {
    this.#files.clear()
    const transaction = (await this.#open()).transaction(stores, 'readwrite')
    const done = new Done(transaction.done, ...stores.map((name) => transaction.objectStore(name).clear()))
    done.push(transaction.objectStore('profile').put({ userId: NOBODY, name: '', limits: null }))
    await done.all()
  }

  close(): void {
    this.#database?.then((database) => database.close()).catch(() => {})
    this.#database = null
  }

  #change(transaction: Transaction, { table, key, row }: RowChange, done: Done): void {
    const store = transaction.objectStore(table)
    const files = transaction.objectStore('files')
    if (!row) {
      done.push(store.delete(key))
      if (table === 'uploads') done.push(files.delete(key))
    } else if ('blob' in row) {
      done.push(store.put({ ...row, blob: undefined as never }))
      if (!this.#files.has(key)) done.push(files.put({ uploadId: key, blob: row.blob }))
    } else done.push(store.put(row))
  }

  /** The changes are committed. */
  #stored(changes: readonly RowChange[]): void {
    for (const { table, key, row } of changes) {
      if (table === 'uploads') this.#files[row ? 'add' : 'delete'](key)
    }
  }

  #created(): void {
    this.#files.clear()
    this.#handlers.created()
  }

  #open(): Promise<Database> {
    if (this.#database) return this.#database
    const closed = () => {
      this.close()
      this.#handlers.closed()
    }
    const opened = openDB<Schema>(this.#name, migrations.length, {
      upgrade: (database, oldVersion) => {
        if (oldVersion === 0) this.#created()
        for (const migrate of migrations.slice(oldVersion)) migrate(database)
      },
      blocking: closed,
      terminated: closed,
    })
    this.#database = opened
    opened.catch(() => {
      if (this.#database === opened) this.#database = null
    })
    return opened
  }
}

/** The requests of a transaction, which all reject if it is aborted. */
class Done {
  readonly #promises: Promise<unknown>[] = []

  constructor(...promises: readonly Promise<unknown>[]) {
    this.push(...promises)
  }

  push(...promises: readonly Promise<unknown>[]): void {
    for (const promise of promises) promise.catch(() => {})
    this.#promises.push(...promises)
  }

  async all(): Promise<void> {
    await Promise.all(this.#promises)
  }
}

function itemsOf(groupId: string, from = 0, to = Number.POSITIVE_INFINITY): IDBKeyRange {
  return IDBKeyRange.bound([groupId, from], [groupId, to])
}
