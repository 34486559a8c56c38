import { describe, expect, it } from 'vitest'
import type { CachedItem } from '../../../client/store/cache/message-cache.ts'
import type { GroupState } from '../../../client/store/group-state.ts'
import { GroupWindow } from '../../../client/store/group-window.ts'
import type { StoreCore } from '../../../client/store/store-core.ts'
import type { Message } from '../../../protocol/records.ts'

const message = (seq: number): Message => ({
  messageId: `team:${seq}`,
  groupId: 'team',
  seq,
  senderId: 'ana',
  senderName: 'Ana',
  type: 'text',
  content: `message ${seq}`,
  createdAt: seq,
})
const item = (seq: number): CachedItem => ({ groupId: 'team', seq, message: message(seq) })

/** A window over a log of messages, whose answers the test gives. */
function aWindow(log: number[]) {
  const row = { lastSeq: log.at(-1) ?? 0, unread: 0 }
  const stored: { readonly items: readonly CachedItem[]; readonly range: readonly number[] }[] = []
  const answers: (() => void)[] = []
  const core = {
    me: 'bruno',
    isConnected: true,
    people: { person: (userId: string, name: string) => ({ userId, name }) },
    outgoing: { of: () => [] },
    cache: {
      older: async () => null,
      newer: async () => null,
      putItems: (_: string, items: readonly CachedItem[], range: readonly number[]) =>
        void stored.push({ items, range }),
    },
    learnMessages() {},
    windowUsed() {},
    request: (
      _: string,
      { after = 0, before = 1_000 }: { readonly after?: number; readonly before?: number },
    ) =>
      new Promise((resolve) => {
        const messages = log.filter((seq) => seq > after && seq < before).map(message)
        answers.push(() => resolve({ groupId: 'team', messages, hasMore: false }))
      }),
  }
  const group = {
    groupId: 'team',
    row,
    members: { refresh() {} },
    pins: { refresh() {} },
    receipts: { shown() {} },
  }
  const window = new GroupWindow(group as unknown as GroupState, core as unknown as StoreCore)
  return {
    window,
    core,
    stored,
    arrives(seq: number) {
      log.push(seq)
      row.lastSeq = seq
      window.advance(seq, item(seq))
    },
    async answer(at: number) {
      await expect.poll(() => answers.length).toBe(at + 1)
      answers[at]?.()
    },
    isLoaded: () => expect.poll(() => window.view.getSnapshot().loading).toBe(null),
    shown: () => window.view.getSnapshot().items.map((one) => one.kind === 'message' && one.content),
  }
}

describe('a window', () => {
  // A transport delivers several frames in one job: events after an answer are handled before those who wait for it.
  it('requests what arrived between the answer to a page and its use', async () => {
    const { window, answer, arrives, isLoaded, shown } = aWindow([1, 2])
    window.view.subscribe(() => {})
    expect(window.view.getSnapshot().isLoaded).toBe(false)
    await answer(0)
    arrives(3)
    await answer(1)
    await isLoaded()
    arrives(4)
    expect(shown()).toEqual(['message 1', 'message 2', 'message 3', 'message 4'])
    expect(window.view.getSnapshot()).toMatchObject({ isLoaded: true, hasNewer: false })
  })

  it('shows and stores a change that is handled after the server made its answer', async () => {
    const { window, answer, isLoaded, shown, stored } = aWindow([1, 2])
    const edit = (content: string) =>
      window.change('team:2', (before) => ({ ...before, content: `${before.content}${content}` }))
    edit(' before the request')
    window.view.subscribe(() => {})
    edit(' edited')
    await answer(0)
    await isLoaded()
    expect(shown()).toEqual(['message 1', 'message 2 edited'])
    expect(stored[0]?.items[1]).toMatchObject({ message: { content: 'message 2 edited' } })
  })

  // Otherwise `while (hasOlder) await loadOlder()` would never let the answer arrive.
  it('waits for what is being loaded, if asked for more', async () => {
    const { window, answer } = aWindow([1, 2])
    window.view.subscribe(() => {})
    const loaded = window.load('older').then(() => 'loaded')
    const later = new Promise((resolve) => setImmediate(resolve, 'not yet'))
    expect(await Promise.race([loaded, later])).toBe('not yet')
    await answer(0)
    await loaded
    expect(window.view.getSnapshot()).toMatchObject({ isLoaded: true, loading: null })
  })

  it('stores no page while its tab has not joined the leading one, and receives no changes', async () => {
    const { window, core, answer, isLoaded, shown, stored } = aWindow([1, 2])
    core.isConnected = false
    window.view.subscribe(() => {})
    await answer(0)
    await isLoaded()
    expect(shown()).toEqual(['message 1', 'message 2'])
    expect(stored).toEqual([])
  })

  it('expects nothing above the end of the log after a jump there', async () => {
    const { window, answer, arrives, shown, stored } = aWindow([1, 2])
    window.view.subscribe(() => {})
    await answer(0)
    const jumped = window.jumpTo({ seq: 5 })
    await answer(1)
    await jumped
    for (const seq of [3, 4, 5, 6]) arrives(seq)
    expect(shown()).toEqual([1, 2, 3, 4, 5, 6].map((seq) => `message ${seq}`))
    expect(stored.map(({ range }) => range)).toEqual([
      [1, 2],
      [1, 2],
    ])
  })
})
