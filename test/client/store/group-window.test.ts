import { expect, it } from 'vitest'
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

// A transport delivers several frames in one job: events after an answer are handled before those who wait for it.
it('requests what arrived between the answer to a page and its use', async () => {
  const log = [1, 2]
  const row = { lastSeq: 2, unread: 0 }
  const answers: (() => void)[] = []
  const core = {
    me: 'bruno',
    isConnected: true,
    people: { person: (userId: string, name: string) => ({ userId, name }) },
    outgoing: { of: () => [] },
    cache: { older: async () => null, newer: async () => null, putItems() {} },
    learnMessages() {},
    windowUsed() {},
    request: (_: string, { after = 0 }: { readonly after?: number }) =>
      new Promise((resolve) => {
        answers.push(() => {
          const messages = log.filter((seq) => seq > after).map(message)
          resolve({ groupId: 'team', messages, hasMore: false })
        })
      }),
  }
  const group = { groupId: 'team', row, members: { refresh() {} }, pins: { refresh() {} }, windowLoaded() {} }
  const window = new GroupWindow(group as unknown as GroupState, core as unknown as StoreCore)
  const arrives = (seq: number) => {
    log.push(seq)
    row.lastSeq = seq
    window.advance(seq, item(seq))
  }
  window.view.subscribe(() => {})
  await expect.poll(() => answers.length).toBe(1)
  answers[0]?.()
  arrives(3)
  await expect.poll(() => answers.length).toBe(2)
  answers[1]?.()
  await expect.poll(() => window.view.getSnapshot().loading).toBe(null)
  arrives(4)
  const { items, hasNewer } = window.view.getSnapshot()
  expect(items.map((one) => one.kind === 'message' && one.seq)).toEqual([1, 2, 3, 4])
  expect(hasNewer).toBe(false)
})
