/**
 * Stores before an engine in the same process, whose time the test moves.
 */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { MessageCache } from '../../../client/store/cache/message-cache.ts'
import { ChatStore } from '../../../client/store/chat-store.ts'
import type { ChatStoreOptions } from '../../../client/store/store-options.ts'
// A store loads it when it connects: the first time would take longer than turns of the event loop.
import '../../../client/store/store-client.ts'
import { createMessageCache } from '../../../client/store/index.ts'
import type { MessageItem, WindowView } from '../../../client/store/types.ts'
import { closeCodes } from '../../../protocol/close-codes.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { MemorySocket } from '../../../testing/memory-socket.ts'
import { startTestEngine, type TestEngine, type TestEngineOptions } from '../../../testing/test-engine.ts'
import { crashImage } from '../../support/engines.ts'

export interface StoreStage {
  /** The time of the stores, which continues when the engine is restarted. */
  readonly clock: ManualClock
  engine: TestEngine
  /** A store of a user; without `cache`, with an empty one. */
  store(userId: string, options?: Partial<ChatStoreOptions>): ChatStore
  /** A connected store that has loaded everything. */
  liveStore(userId: string, options?: Partial<ChatStoreOptions>): Promise<ChatStore>
  /** Breaks the user's connections, and refuses new ones until `online`. */
  offline(userId: string): void
  online(userId: string): void
  /** Lets what was started arrive, and timers that are due run. */
  settle(ms?: number): Promise<void>
  /** Ends the engine without closing connections in order, and starts one with the same data. */
  restart(options?: TestEngineOptions): Promise<void>
  /** As `kill -9` of a server with this folder: what was not written is lost. Resolves with the folder now. */
  kill(dataDir: string): Promise<string>
  /** The server ends the user's sessions, because their token has expired. */
  expire(userId: string): void
}

export async function aStoreStage(options: TestEngineOptions = {}): Promise<StoreStage> {
  const sockets = new Set<MemorySocket>()
  const offline = new Set<string>()
  const stage: StoreStage = {
    clock: new ManualClock(),
    engine: await startTestEngine(options),
    store(userId, given = {}) {
      const store = new ChatStore({
        url: 'http://memory.invalid',
        token: () => JSON.stringify({ userId, name: userId.toUpperCase() }),
        userId,
        clock: stage.clock.forClient,
        cache: given.cache ?? aCache(stage),
        openSocket: async () => {
          if (offline.has(userId)) throw new Error('offline')
          const socket = new MemorySocket(stage.engine.gateway, (ended) => sockets.delete(ended))
          sockets.add(socket)
          return socket as unknown as WebSocket
        },
        ...given,
      })
      onTestFinished(() => store.close())
      return store
    },
    async liveStore(userId, given) {
      const store = stage.store(userId, given)
      store.connect()
      await stage.settle(1)
      return store
    },
    offline(userId) {
      offline.add(userId)
      for (const socket of sockets) if (socket.userId === userId) socket.cut()
    },
    online: (userId) => offline.delete(userId),
    async settle(ms = 400) {
      for (let leftMs = ms; ; ) {
        for (let i = 0; i < 8; i++) await turn()
        const stepMs = Math.min(leftMs, Math.max(0, stage.clock.dueInMs[0] ?? leftMs))
        await stage.engine.advance(stepMs)
        stage.clock.advance(stepMs)
        leftMs -= stepMs
        if (leftMs <= 0 && (stage.clock.dueInMs[0] ?? 1) > 0) break
      }
      for (let i = 0; i < 8; i++) await turn()
    },
    async restart(given = {}) {
      for (const socket of sockets) socket.cut()
      const startMs = stage.engine.clock.now()
      await stage.engine.close()
      stage.engine = await startTestEngine({ ...options, startMs, ...given })
    },
    async kill(dataDir) {
      // Within the folder of the test, which is removed after the engine was closed.
      const image = crashImage(dataDir, mkdtempSync(join(dataDir, 'killed-')))
      await stage.restart({ dataDir: image })
      return image
    },
    expire(userId) {
      for (const socket of [...sockets]) {
        if (socket.userId !== userId) continue
        const { onclose } = socket
        socket.close()
        onclose?.({ code: closeCodes.token_expired.code, reason: '' })
      }
    },
  }
  onTestFinished(() => stage.engine.close())
  return stage
}

function aCache(stage: StoreStage): MessageCache {
  const channel = { post: () => {}, listen: () => () => {}, close: () => {} }
  return createMessageCache({ name: 'test', channel, clock: stage.clock.forClient })
}

/** The messages on show, as `content state`. */
export function shown({ items }: WindowView): readonly string[] {
  return messagesOf(items).map(({ content, state }) => `${content} ${state}`)
}

export function messagesOf(items: WindowView['items']): readonly MessageItem[] {
  return items.filter((item): item is MessageItem => item.kind === 'message')
}
