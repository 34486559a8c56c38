/** Builders of items and windows as a store shows them. */
import type { MessageItem, WindowView } from '../../../client/store/types.ts'

export const MINUTE = 60_000
/** Noon of a day, so that hours around it are the same day in every time zone of the reader. */
export const NOON = new Date(2026, 2, 10, 12).getTime()

export function aMessage(seq: number, over: Partial<MessageItem> = {}): MessageItem {
  return {
    kind: 'message',
    key: `m${seq}`,
    groupId: 'g',
    messageId: `g:${seq}`,
    seq,
    state: 'sent',
    mine: false,
    sender: { userId: 'ana', name: 'Ana' },
    type: 'text',
    content: `text ${seq}`,
    createdAt: NOON + seq * MINUTE,
    mentions: [],
    mentionsMe: false,
    reactions: [],
    changing: false,
    deliveredBy: 0,
    readBy: 0,
    ...over,
  }
}

export function aWindow(items: WindowView['items'], over: Partial<WindowView> = {}): WindowView {
  return {
    items,
    isLoaded: true,
    hasOlder: false,
    hasNewer: false,
    loading: null,
    firstUnreadSeq: null,
    target: null,
    ...over,
  }
}
