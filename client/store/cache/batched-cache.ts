/**
 * Batched cache: the message cache over a database.
 *
 * Collects changes, writes them together, and answers for the failures of the database. A failed write is
 * repeated on a new connection; then items are forgotten, those of the least recently active groups first, and
 * it is repeated with the rows only. Rows that cannot be written even then stay in memory and are written with the
 * next changes, after a delay that grows with each failure (`backoff.ts`), until `close`. If the database cannot
 * be opened, the cache continues in memory.
 * Changes of shared tables go to the other tabs at once. A tab that opens asks the others for their newest ones,
 * which may not be written yet.
 * Bounded: `MAX_ITEMS` stored; above `MAX_WAITING` changes of items in memory, their groups are forgotten.
 */
import { backoffMs } from '../../backoff.ts'
import { type Clock, systemClock } from '../../clock.ts'
import type { TabChannel } from '../tab-channel.ts'
import type { CacheDatabase, ItemsChange, RowChange } from './cache-database.ts'
import { IdbDatabase } from './idb-database.ts'
import { LastChanges } from './last-changes.ts'
import { MemoryDatabase } from './memory-database.ts'
import {
  type CachedItem,
  type CachedPage,
  type CachedState,
  keyPaths,
  type MessageCache,
  type SharedChange,
  type Table,
  type Tables,
} from './message-cache.ts'

const WRITE_MS = 50
/** A database that does not open for so long is blocked by another tab. */
const OPEN_MS = 3_000
const MAX_ITEMS = 20_000
/** Items between two checks of the bound. */
const TRIM_EVERY = 1_000
const MAX_WAITING = 2_000
/** The newest changes of shared tables, repeated for a tab that opens. */
const MAX_RECENT = 256

export interface CacheOptions {
  /** The name of the database; caches of one name share it. */
  readonly name: string
  readonly channel: TabChannel
  readonly clock?: Clock | undefined
  /** Items that are stored at most. */
  readonly maxItems?: number | undefined
}

type Recent = SharedChange & { readonly at: number; readonly userId: string | undefined }
type CacheMessage =
  | { readonly cache: 'changed'; readonly change: Recent }
  | { readonly cache: 'opened' | 'wiped' }

/** A cache in IndexedDB where there is one, else in memory. */
export function createMessageCache(options: CacheOptions): MessageCache {
  return new BatchedCache(options)
}

class BatchedCache implements MessageCache {
  readonly #clock: Clock
  readonly #channel: TabChannel
  readonly #maxItems: number
  /** All rows, as the newest changes left them. */
  readonly #copy = new MemoryDatabase()
  #database: CacheDatabase
  readonly #rows = new Map<string, RowChange>()
  /** The rows of the write in progress. */
  #inFlight: Map<string, RowChange> | null = null
  readonly #forgotten = new Set<string>()
  #items: ItemsChange[] = []
  #untrimmed = TRIM_EVERY
  #writing: Promise<unknown> = Promise.resolve()
  #cancelTimer: (() => void) | null = null
  #nextWriteAt = Number.NEGATIVE_INFINITY
  /** Writes in a row that failed. */
  #failures = 0
  readonly #recent = new Map<string, Recent>()
  readonly #last: LastChanges<Recent>
  /** Changes were stored at the end of the page, which has not ended. */
  #hasLast = false
  #isLeading = false
  /** The user whose data was wiped: changes of theirs may still arrive from other tabs. */
  #signedOut: string | undefined
  readonly #shared = new Set<(change: SharedChange) => void>()
  readonly #wiped = new Set<() => void>()
  readonly #stopListening: () => void

  constructor({ name, channel, clock = systemClock, maxItems = MAX_ITEMS }: CacheOptions) {
    this.#clock = clock
    this.#channel = channel
    this.#last = new LastChanges(name)
    this.#maxItems = maxItems
    // A database that was deleted receives all rows again.
    this.#database =
      typeof indexedDB === 'object'
        ? new IdbDatabase(name, {
            created: () => this.#writeAll(),
            closed: () => void this.#reopen(),
          })
        : new MemoryDatabase()
    const stopListening = channel.listen((message) => this.#onMessage(message as CacheMessage))
    // In Node pages do not exist.
    globalThis.addEventListener?.('pagehide', this.#onHide)
    this.#stopListening = () => {
      stopListening()
      globalThis.removeEventListener?.('pagehide', this.#onHide)
    }
  }

  async open(userId?: string): Promise<CachedState> {
    this.#channel.post({ cache: 'opened' } satisfies CacheMessage)
    const state = await this.#load()
    const owner = (state ?? this.#copy.state()).profile?.userId
    if (userId !== undefined && owner !== undefined && owner !== userId) void this.wipe()
    else if (state) {
      void this.#copy.clear()
      for (const change of changesOf(state)) this.#copy.put(change)
      for (const newer of [this.#inFlight, this.#rows, this.#recent]) {
        for (const change of newer?.values() ?? []) this.#copy.put(change)
      }
    }
    return this.#copy.state()
  }

  put<T extends Table>(table: T, row: Tables[T]): void {
    const change = changeOf(table, row)
    if (table === 'profile') {
      const owner = this.#copy.userId
      if (owner !== undefined && owner !== change.key) void this.wipe()
      this.#signedOut = undefined
    }
    this.#change(change)
  }

  remove(table: Table, key: string): void {
    if (table === 'groups') this.forget(key)
    this.#change({ table, key, row: undefined })
  }

  forget(groupId: string): void {
    this.#items = this.#items.filter((change) => change.groupId !== groupId)
    this.#forgotten.add(groupId)
    this.#schedule()
  }

  putItems(groupId: string, items: readonly CachedItem[], range?: readonly [number, number]): void {
    this.#changeItems({ groupId, items, range })
  }

  changeItem(groupId: string, seq: number, change: (item: CachedItem) => CachedItem): void {
    this.#changeItems({ groupId, seq, change })
  }

  older(groupId: string, upTo: number, limit: number): Promise<CachedPage | null> {
    return this.#page(groupId, upTo, limit, 'older')
  }

  newer(groupId: string, from: number, limit: number): Promise<CachedPage | null> {
    return this.#page(groupId, from, limit, 'newer')
  }

  lead(isLeading: boolean): void {
    this.#isLeading = isLeading
    if (!isLeading) return
    // The tab that led until now may have crashed before it wrote them.
    for (const [id, change] of this.#recent) if (!this.#rows.has(id)) this.#rows.set(id, change)
    for (const change of this.#last.take()) if (change.userId === this.#copy.userId) this.#onShared(change)
    this.#schedule()
  }

  flush(): Promise<boolean> {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    const written = this.#writing.then(() => this.#write())
    this.#writing = written
    return written
  }

  async wipe(): Promise<void> {
    this.#reset()
    this.#channel.post({ cache: 'wiped' } satisfies CacheMessage)
    this.#writing = this.#writing
      .then(() => this.#database.clear())
      .catch(() => {
        this.#database.close()
        return this.#database.clear()
      })
      .catch(() => {})
    await this.#writing
  }

  async close(): Promise<void> {
    this.#stopListening()
    await this.flush()
    this.#cancelTimer?.()
    this.#cancelTimer = null
    this.#database.close()
  }

  onShared(listener: (change: SharedChange) => void): () => void {
    this.#shared.add(listener)
    return () => this.#shared.delete(listener)
  }

  onWiped(listener: () => void): () => void {
    this.#wiped.add(listener)
    return () => this.#wiped.delete(listener)
  }

  /** Null if there is no database: the cache continues in memory. */
  async #load(): Promise<CachedState | null> {
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      try {
        return await this.#inTime(this.#writing.then(() => this.#database.load()))
      } catch {
        this.#database.close()
      }
    }
    this.#database = new MemoryDatabase()
    return null
  }

  async #reopen(): Promise<void> {
    const state = await this.#load()
    // Another tab may have created it, before this one could write its rows.
    if (state && (this.#isLeading || !state.profile)) this.#writeAll()
  }

  /** The database is empty: all rows are written again, the groups by the tab that has their newest state. */
  #writeAll(): void {
    const rows = this.#inFlight ?? this.#rows
    for (const change of changesOf(this.#copy.state())) {
      if (this.#isLeading || change.table !== 'groups') rows.set(idOf(change), change)
    }
    if (rows.size > 0) this.#schedule()
  }

  async #page(...place: Parameters<CacheDatabase['page']>): Promise<CachedPage | null> {
    try {
      await this.#inTime(this.flush())
      // Forgotten items that could not be deleted are outdated.
      return this.#forgotten.has(place[0]) ? null : await this.#inTime(this.#database.page(...place))
    } catch {
      this.#database.close()
      return null
    }
  }

  #change(change: RowChange): void {
    const id = idOf(change)
    this.#copy.put(change)
    this.#rows.set(id, change)
    if (isShared(change)) {
      // Above the last change of the row by any tab, also after the system clock was set back.
      const at = Math.max(Date.now(), (this.#recent.get(id)?.at ?? 0) + 1)
      const recent = { ...change, at, userId: this.#copy.userId }
      this.#remember(id, recent)
      this.#channel.post({ cache: 'changed', change: recent } satisfies CacheMessage)
    }
    this.#schedule()
  }

  #changeItems(change: ItemsChange): void {
    this.#items.push(change)
    if (this.#items.length > MAX_WAITING) {
      for (const { groupId } of this.#items.splice(0)) this.#forgotten.add(groupId)
    }
    this.#schedule()
  }

  /** A write in progress schedules the next one when it ends. */
  #schedule(): void {
    if (this.#inFlight) return
    this.#cancelTimer ??= this.#clock.after(
      Math.max(0, this.#nextWriteAt - this.#clock.now()),
      () => void this.flush(),
    )
  }

  get #hasChanges(): boolean {
    return this.#rows.size + this.#forgotten.size + this.#items.length > 0
  }

  /** Resolves with whether there is nothing left that ends with the page. */
  async #write(): Promise<boolean> {
    const isLasting = this.#database instanceof IdbDatabase
    if (!this.#hasChanges) return isLasting
    const rows = new Map(this.#rows)
    const forgotten = new Set(this.#forgotten)
    let items = this.#items.splice(0)
    this.#rows.clear()
    this.#forgotten.clear()
    this.#inFlight = rows
    let failures = 0
    for (let attempt = 1; ; attempt += 1) {
      try {
        const batch = { userId: this.#copy.userId, rows, forgotten, items }
        if (!(await this.#database.write(batch))) this.#onWiped()
        break
      } catch {
        this.#database.close()
        if (attempt === 1) continue
        for (const { groupId } of items) forgotten.add(groupId)
        items = []
        const left = await this.#database.trim((count) => count >> 1).catch(() => 0)
        if (left > 0 || attempt === 2) continue
        // The rows stay in memory until a later write succeeds.
        failures = this.#failures + 1
        for (const [id, change] of rows) if (!this.#rows.has(id)) this.#rows.set(id, change)
        for (const groupId of forgotten) this.#forgotten.add(groupId)
        break
      }
    }
    this.#inFlight = null
    if (this.#hasLast && this.#rows.size === 0) this.#last.take()
    this.#hasLast &&= this.#rows.size > 0
    this.#failures = failures
    const delayMs = failures > 0 ? backoffMs(failures, this.#clock) : 0
    this.#nextWriteAt = this.#clock.now() + WRITE_MS + delayMs
    if (this.#hasChanges) this.#schedule()
    await this.#trim(items)
    return isLasting && failures === 0
  }

  async #trim(items: readonly ItemsChange[]): Promise<void> {
    for (const change of items) if ('items' in change) this.#untrimmed += change.items.length
    if (items.length === 0 || this.#untrimmed < TRIM_EVERY) return
    this.#untrimmed = 0
    const max = this.#maxItems
    await this.#database.trim((count) => (count > max ? Math.floor(max * 0.8) : count)).catch(() => {})
  }

  /** Groups and items are not part of it: they are consistent only when they are written together. */
  readonly #onHide = (): void => {
    const rows = [...(this.#inFlight?.values() ?? []), ...this.#rows.values()].filter(isShared)
    if (rows.length > 0) this.#database.writeLast(rows).catch(() => {})
    if (this.#isLeading && rows.length > 0) {
      // Files are not text; a follower's changes are known to the leading tab.
      const ids = new Set(rows.filter(({ table }) => table !== 'uploads').map(idOf))
      this.#last.store([...this.#recent].flatMap(([id, change]) => (ids.has(id) ? [change] : [])))
      this.#hasLast = true
    }
    void this.flush()
  }

  #onMessage(message: CacheMessage): void {
    if (message.cache === 'wiped') this.#onWiped()
    else if (message.cache === 'changed') this.#onShared(message.change)
    else if (message.cache === 'opened') {
      for (const change of this.#recent.values()) {
        this.#channel.post({ cache: 'changed', change } satisfies CacheMessage)
      }
    }
  }

  #onShared(change: Recent): void {
    const id = idOf(change)
    const isLate = change.userId !== undefined && change.userId === this.#signedOut
    if (isLate || (this.#recent.get(id)?.at ?? 0) >= change.at) return
    this.#remember(id, change)
    this.#copy.put(change)
    // The other tab writes it.
    this.#rows.delete(id)
    if (this.#isLeading) {
      this.#rows.set(id, change)
      this.#schedule()
    }
    for (const listener of this.#shared) listener(change)
  }

  #remember(id: string, change: Recent): void {
    this.#recent.delete(id)
    this.#recent.set(id, change)
    if (this.#recent.size > MAX_RECENT) this.#recent.delete(this.#recent.keys().next().value ?? '')
  }

  #onWiped(): void {
    this.#reset()
    for (const listener of this.#wiped) listener()
  }

  #reset(): void {
    this.#signedOut = this.#copy.userId
    void this.#copy.clear()
    this.#rows.clear()
    this.#inFlight?.clear()
    this.#forgotten.clear()
    this.#recent.clear()
    this.#last.take()
    this.#items = []
  }

  /** Rejects also if the database does not answer. */
  #inTime<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(OPEN_MS, reject)
      promise.then(resolve, reject).finally(cancel)
    })
  }
}

function changeOf<T extends Table>(table: T, row: Tables[T]): RowChange {
  return { table, key: (row as unknown as Record<string, string>)[keyPaths[table]] as string, row }
}

function* changesOf({ profile, ...tables }: CachedState): Iterable<RowChange> {
  if (profile) yield changeOf('profile', profile)
  for (const [table, rows] of Object.entries(tables))
    for (const row of rows) yield changeOf(table as Table, row)
}

function isShared(change: RowChange): change is SharedChange {
  return change.table !== 'profile' && change.table !== 'groups'
}

function idOf({ table, key }: RowChange): string {
  return `${table} ${key}`
}
