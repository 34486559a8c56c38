import { expect, it } from 'vitest'
import { handleEvent } from '../../../client/store/group-events.ts'
import { GroupState } from '../../../client/store/group-state.ts'
import type { StoreCore } from '../../../client/store/store-core.ts'
import type { Message } from '../../../protocol/records.ts'

const message = (seq: number, change: Partial<Message> = {}): Message => ({
  messageId: `team:${seq}`,
  groupId: 'team',
  seq,
  senderId: 'bruno',
  senderName: 'Bruno',
  type: 'text',
  content: `message ${seq}`,
  createdAt: seq,
  ...change,
})

/** Ana's group as the server lists it. */
const listing = (lastSeq: number, unread: number, lastMessage?: Message) => ({
  group: {
    groupId: 'team',
    kind: 'group',
    visibility: 'private',
    createdAt: 1,
    createdBy: 'bruno',
    memberCount: 2,
    lastSeq,
  } as const,
  unread,
  mentions: 0,
  readSeq: 0,
  ...(lastMessage && { lastMessage }),
})

/** The group of Ana, how often the list was requested, and the requests that the test answers. */
function aGroup() {
  let refreshes = 0
  const answers: ((answer: unknown) => void)[] = []
  const nothing = () => {}
  const core = {
    me: 'ana',
    isConnected: true,
    people: { person: (userId: string) => ({ userId }), learn: nothing, learnSender: nothing },
    outgoing: { of: () => [], get: () => undefined },
    cache: { changeItem: nothing, forget: nothing },
    learnMessages: nothing,
    groupChanged: nothing,
    delivered: nothing,
    windowUsed: nothing,
    request: () => new Promise((resolve) => answers.push(resolve)),
    refreshGroups: () => {
      refreshes += 1
    },
  } as unknown as StoreCore
  const group = new GroupState('team', core)
  return { group, core, answers, refreshes: () => refreshes }
}

const reaction = (seq: number) =>
  ({
    event: 'reaction_changed',
    ref: 0,
    fields: { groupId: 'team', seq, messageId: 'team:1', emoji: '👍', added: true, by: 'bruno', at: seq },
  }) as const

// An event may arrive between the making of a list and its use.
it('reads the list again if a list that events have overtaken has a newer message', () => {
  const { group, core, refreshes } = aGroup()
  group.merge(listing(1, 1, message(1)), 1)
  group.merge(listing(9, 9), 9)
  group.missed(2, 9)
  handleEvent(group, core, reaction(10))
  group.merge(listing(9, 9, message(9)), 9)
  expect([group.row?.lastMessage?.seq, refreshes()]).toEqual([1, 1])
  group.merge(listing(10, 9, message(9)), 10)
  expect([group.row?.lastMessage?.seq, refreshes()]).toEqual([9, 1])
})

// UNR-1
it.each([
  ['message_deleted', { deletedAt: 4, content: '' }],
  ['message_recalled', { recalledAt: 4, content: '' }],
  ['message_edited', { editedAt: 4, content: 'edited' }],
] as const)('counts again after %s of a message that was read with the change', (name, change) => {
  const { group, core, refreshes } = aGroup()
  group.merge(listing(3, 2, message(3, change)), 3)
  const fields = { groupId: 'team', seq: 4, messageId: 'team:3', by: 'bruno', ...change, deletedBy: 'bruno' }
  handleEvent(group, core, { event: name, ref: 0, fields } as never)
  expect(refreshes()).toBe(1)
  // Its answer may be overtaken too.
  handleEvent(group, core, reaction(5))
  group.merge(listing(4, 1, message(3, change)), 4)
  expect([group.row?.unread, refreshes()]).toEqual([2, 2])
  group.merge(listing(5, 1, message(3, change)), 5)
  expect([group.row?.unread, refreshes()]).toEqual([1, 2])
})

it.each([
  ['message_pinned', ['team:2', 'team:1']],
  ['message_unpinned', ['team:1']],
] as const)(
  'shows the pins right if %s is handled before an answer that lists the message',
  async (event, shown) => {
    const { group, core, answers } = aGroup()
    group.merge(listing(3, 0, message(2)), 3)
    group.window.preload({
      from: 1,
      to: 3,
      isNewest: true,
      items: [1, 2].map((seq) => ({ groupId: 'team', seq, message: message(seq) })),
    })
    group.pins.view.subscribe(() => {})
    const fields = { groupId: 'team', seq: 4, messageId: 'team:2', by: 'bruno', at: 4 }
    handleEvent(group, core, { event, ref: 0, fields })
    const pinned = [message(2, { pinnedAt: 3 }), message(1, { pinnedAt: 1 })]
    answers[0]?.({ groupId: 'team', messages: pinned })
    await expect.poll(() => group.pins.view.getSnapshot().isLoaded).toBe(true)
    expect(group.pins.view.getSnapshot().pins.map(({ messageId }) => messageId)).toEqual(shown)
  },
)
